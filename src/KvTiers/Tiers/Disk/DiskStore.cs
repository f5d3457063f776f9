using System.Runtime.ExceptionServices;
using KvTiers.Prefix;

namespace KvTiers.Tiers.Disk;

/// <summary>
/// Records in preallocated segment files: each has its slot, is written with one write, and is overwritten in place when
/// the slot goes to another.
/// </summary>
/// <remarks>
/// The index lives in memory. A clean shutdown leaves it beside the segments; otherwise opening reads every slot's header.
/// A slot that was being overwritten when the power went fails its checksums and is a miss; nothing else is affected.
/// A removed record's header is overwritten, so it stays removed. When the disk takes no further segment, the store makes
/// do with those it has and tries again later.
/// </remarks>
public sealed partial class DiskStore : IPartedStore
{
    private readonly Lock _lock = new();
    private readonly SemaphoreSlim _syncing = new(1, 1);
    private readonly BlockRecord _format;
    private readonly DiskStoreOptions _options;
    private readonly TimeProvider _time;
    private readonly FileStream _lockFile;
    private readonly TierIndex _index;
    private readonly List<DirectFile> _segments = [];
    private readonly HashSet<DirectFile> _dirty = [];
    private readonly int _slotsPerSegment;
    private readonly ITimer _syncTimer;
    private int _configuredSlots;
    private int _unsynced;
    private DateTimeOffset _growthBlockedUntil;
    private StoreTotals _totals;
    private bool _disposed;

    private DiskStore(BlockRecord format, DiskStoreOptions options, TimeProvider time, FileStream lockFile)
    {
        _format = format;
        _options = options;
        _time = time;
        _lockFile = lockFile;
        _slotsPerSegment = (int)(options.SegmentBytes / format.RecordBytes);
        _configuredSlots = SlotsOf(options.CapacityBytes);
        _index = new TierIndex(_configuredSlots, time);
        _syncTimer = time.CreateTimer(_ => SyncInBackground(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <inheritdoc/>
    public int RecordBytes => _format.RecordBytes;

    /// <inheritdoc/>
    public long CapacityBytes => (long)_index.Capacity * RecordBytes;

    /// <inheritdoc/>
    public long UsedBytes => (long)_index.Count * RecordBytes;

    /// <inheritdoc/>
    public long Count => _index.Count;

    /// <inheritdoc/>
    public StoreTotals Totals
    {
        get
        {
            lock (_lock)
            {
                return _totals;
            }
        }
    }

    /// <summary>Whether reads and writes go past the page cache; false also while there is no segment yet.</summary>
    public bool IsDirect => _segments.Count > 0 && _segments[0].IsDirect;

    /// <summary>Whether the last shutdown was clean, so that the index was there and no header had to be read.</summary>
    public bool OpenedFromIndex { get; private set; }

    /// <summary>Opens the folder, and finds what it held before.</summary>
    /// <exception cref="ArgumentException">An option is out of its range.</exception>
    /// <exception cref="IOException">The folder cannot be written, or another process has it open.</exception>
    /// <exception cref="UnauthorizedAccessException">The folder may not be written.</exception>
    public static DiskStore Open(BlockRecord format, DiskStoreOptions options, TimeProvider? time = null)
    {
        ArgumentNullException.ThrowIfNull(format);
        ArgumentNullException.ThrowIfNull(options);
        options.Validate(format.RecordBytes);
        Directory.CreateDirectory(options.Folder);
        FileStream lockFile;
        try
        {
            lockFile = new FileStream(Path.Combine(options.Folder, "lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException fault) when (fault is not DirectoryNotFoundException)
        {
            throw new IOException($"The disk tier's folder '{options.Folder}' cannot be locked: {fault.Message}", fault);
        }

        var store = new DiskStore(format, options, time ?? TimeProvider.System, lockFile);
        store.Recover();
        store.ReserveFirstSegment();
        return store;
    }

    /// <inheritdoc/>
    public ValueTask<int> CountLeadingAsync(ReadOnlyMemory<BlockHash> chain, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            return ValueTask.FromResult(_index.CountLeading(chain.Span));
        }
    }

    /// <inheritdoc/>
    public int PartAlignment => DirectFile.Alignment;

    /// <inheritdoc/>
    public ValueTask<bool> TryReadAsync(BlockHash hash, Memory<byte> record, CancellationToken cancellationToken) =>
        ReadAsync(hash, (segment, offset) => segment.TryReadAsync(offset, record, cancellationToken));

    /// <inheritdoc/>
    public ValueTask<bool> TryReadAsync(BlockHash hash, Memory<byte> header, Memory<byte> payload, CancellationToken cancellationToken) =>
        ReadAsync(hash, (segment, offset) => segment.TryReadAsync(offset, header, payload, cancellationToken));

    /// <inheritdoc/>
    public ValueTask<bool> TryWriteAsync(
        BlockHash hash, ReadOnlyMemory<byte> record, BlockAttributes attributes, CancellationToken cancellationToken) =>
        WriteAsync(hash, attributes, (segment, offset) => segment.WriteAsync(offset, record, cancellationToken));

    /// <inheritdoc/>
    public ValueTask<bool> TryWriteAsync(
        BlockHash hash, ReadOnlyMemory<byte> header, ReadOnlyMemory<byte> payload, BlockAttributes attributes, CancellationToken cancellationToken) =>
        WriteAsync(hash, attributes, (segment, offset) => segment.WriteAsync(offset, header, payload, cancellationToken));

    private async ValueTask<bool> ReadAsync(BlockHash hash, Func<DirectFile, long, ValueTask<bool>> readAt)
    {
        int slot;
        DirectFile segment;
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            if (!_index.TryFind(hash, out slot))
            {
                return false;
            }

            _index.Pin(slot);
            segment = _segments[slot / _slotsPerSegment];
        }

        bool read = false, ended = false;
        try
        {
            ended = !await readAt(segment, OffsetOf(slot)).ConfigureAwait(false);
            read = !ended;
        }
        finally
        {
            lock (_lock)
            {
                // One that was removed meanwhile may be half overwritten.
                bool held = _index.TryFind(hash, out int found) && found == slot;
                read &= held;
                if (read)
                {
                    _totals = _totals with { ReadBytes = _totals.ReadBytes + RecordBytes };
                }

                if (ended && held)
                {
                    _index.Remove(slot);
                }

                _index.Unpin(slot);
            }
        }

        return ended ? throw new EndOfStreamException($"'{segment.Path}' ends inside a record.") : read;
    }

    private async ValueTask<bool> WriteAsync(BlockHash hash, BlockAttributes attributes, Func<DirectFile, long, ValueTask> writeAt)
    {
        int slot;
        DirectFile? segment;
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            if (_index.TryFind(hash, out int held))
            {
                _index.Touch(held, attributes.Expires);
                return true;
            }

            if (!TryTake(hash, attributes, out slot, out segment))
            {
                return false;
            }
        }

        bool written = false;
        try
        {
            await writeAt(segment, OffsetOf(slot)).ConfigureAwait(false);
            written = true;
        }
        finally
        {
            lock (_lock)
            {
                if (written)
                {
                    _totals = _totals with { WrittenBytes = _totals.WrittenBytes + RecordBytes };
                    _index.Commit(slot);
                }
                else
                {
                    _index.Abandon(slot);
                }
            }
        }

        NoteWritten(segment);
        return true;
    }

    /// <inheritdoc/>
    public async ValueTask<int> RemoveAsync(ReadOnlyMemory<BlockHash> hashes, CancellationToken cancellationToken)
    {
        int removed = 0;
        ExceptionDispatchInfo? fault = null;
        using var blank = new AlignedBuffer(BlockRecord.SectorBytes);
        for (int i = 0; i < hashes.Length; i++)
        {
            int slot;
            DirectFile segment;
            lock (_lock)
            {
                if (!_index.TryFind(hashes.Span[i], out slot))
                {
                    continue;
                }

                // Held until its header is gone, so that nobody else gets the slot in between.
                _index.Pin(slot);
                _index.Remove(slot);
                segment = _segments[slot / _slotsPerSegment];
            }

            try
            {
                await segment.WriteAsync(OffsetOf(slot), blank.Memory, cancellationToken).ConfigureAwait(false);
                removed++;
                NoteWritten(segment);
            }
            catch (Exception thrown) when (thrown is IOException or UnauthorizedAccessException)
            {
                // Found no more all the same; the others are removed nevertheless.
                fault ??= ExceptionDispatchInfo.Capture(thrown);
            }
            finally
            {
                lock (_lock)
                {
                    _index.Unpin(slot);
                }
            }
        }

        fault?.Throw();
        return removed;
    }

    /// <inheritdoc/>
    public ValueTask<int> ForgetAsync(ReadOnlyMemory<BlockHash> hashes, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            return ValueTask.FromResult(_index.Remove(hashes.Span));
        }
    }

    /// <inheritdoc/>
    public ValueTask<int> ExpireAsync(ReadOnlyMemory<BlockHash> hashes, DateTimeOffset at, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            return ValueTask.FromResult(_index.Expire(hashes.Span, at));
        }
    }

    /// <inheritdoc/>
    public ValueTask<long> CountAsync(int tenant, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            return ValueTask.FromResult((long)_index.CountOf(tenant));
        }
    }

    /// <inheritdoc/>
    public ValueTask<int> EvictAsync(int tenant, int atMost, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            int evicted = _index.EvictTenant(tenant, atMost);
            _totals = _totals with { EvictedRecords = _totals.EvictedRecords + evicted };
            return ValueTask.FromResult(evicted);
        }
    }

    /// <inheritdoc/>
    public ValueTask<long> ResizeAsync(long capacityBytes, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(capacityBytes, RecordBytes);
        lock (_lock)
        {
            _configuredSlots = SlotsOf(capacityBytes);
            while (_index.InUseCount > _configuredSlots && _index.TryPeekVictim(out int victim))
            {
                Evict(victim);
            }

            _index.Resize(_configuredSlots);
            GiveBackRetired();
            return ValueTask.FromResult(CapacityBytes);
        }
    }

    /// <inheritdoc/>
    public async ValueTask ClearAsync(CancellationToken cancellationToken)
    {
        BlockHash[] all;
        lock (_lock)
        {
            all = [.. _index.InOrder().Select(_index.HashOf)];
        }

        await RemoveAsync(all, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Returns when every record written so far is on the device.</summary>
    /// <exception cref="IOException">The device failed to take them.</exception>
    public async Task SyncAsync(CancellationToken cancellationToken)
    {
        await _syncing.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            DirectFile[] dirty;
            lock (_lock)
            {
                dirty = [.. _dirty];
                _dirty.Clear();
                _unsynced = 0;
            }

            foreach (DirectFile segment in dirty)
            {
                await Task.Run(segment.Flush, cancellationToken).ConfigureAwait(false);
            }
        }
        finally
        {
            _syncing.Release();
        }
    }

    /// <summary>Forces everything to the device, leaves the index for the next start, and closes.</summary>
    public async ValueTask DisposeAsync()
    {
        lock (_lock)
        {
            if (_disposed)
            {
                return;
            }

            _disposed = true;
        }

        await _syncTimer.DisposeAsync().ConfigureAwait(false);
        try
        {
            await SyncAsync(CancellationToken.None).ConfigureAwait(false);
            SaveIndex();
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            // Without the index the next start reads the headers.
        }

        foreach (DirectFile segment in _segments)
        {
            segment.Dispose();
        }

        await _lockFile.DisposeAsync().ConfigureAwait(false);
    }

    /// <summary>Takes a slot in a segment that exists, evicting as needed.</summary>
    private bool TryTake(BlockHash hash, in BlockAttributes attributes, out int slot, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out DirectFile? segment)
    {
        segment = null;
        if (_index.Capacity != _configuredSlots && _time.GetUtcNow() >= _growthBlockedUntil)
        {
            _index.Resize(_configuredSlots);
        }

        while (true)
        {
            if (_index.TryTake(hash, attributes, out slot))
            {
                if (TryMapSegmentOf(slot))
                {
                    segment = _segments[slot / _slotsPerSegment];
                    return true;
                }

                _index.Abandon(slot);
                if (_segments.Count == 0)
                {
                    return false;
                }

                _index.Resize(_segments.Count * _slotsPerSegment);
            }
            else if (_index.TryPeekVictim(out int victim))
            {
                Evict(victim);
            }
            else
            {
                return false;
            }
        }
    }

    /// <summary>Gives the disk's room of retired slots back to the file system, in runs, where it takes that.</summary>
    private void GiveBackRetired()
    {
        for (int segment = 0; segment < _segments.Count; segment++)
        {
            int first = segment * _slotsPerSegment;
            int end = Math.Min(first + _slotsPerSegment, _index.SlotCount);
            for (int slot = first; slot < end; slot++)
            {
                int start = slot;
                while (slot < end && _index.IsRetired(slot))
                {
                    slot++;
                }

                if (slot > start)
                {
                    _segments[segment].GiveBack(OffsetOf(start), (long)(slot - start) * RecordBytes);
                }
            }
        }
    }

    private void Evict(int victim)
    {
        _index.Remove(victim);
        _totals = _totals with { EvictedRecords = _totals.EvictedRecords + 1 };
    }

    // Reserving a segment takes a while, which the first write should not pay. A disk that is full by now is tried again later.
    private void ReserveFirstSegment() => TryMapSegmentOf(0);

    private bool TryMapSegmentOf(int slot)
    {
        try
        {
            while (_segments.Count <= slot / _slotsPerSegment)
            {
                _segments.Add(DirectFile.Open(SegmentPath(_segments.Count), SegmentBytesUsed, _options.PreferDirect));
            }

            return true;
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            _growthBlockedUntil = _time.GetUtcNow() + _options.GrowthRetry;
            return false;
        }
    }

    // Writers do not wait for the device: a crash may take what it has not got yet, and nothing else.
    private void NoteWritten(DirectFile segment)
    {
        bool syncNow;
        lock (_lock)
        {
            _dirty.Add(segment);
            syncNow = ++_unsynced == _options.SyncEvery;
            if (_unsynced == 1)
            {
                _syncTimer.Change(_options.SyncInterval, Timeout.InfiniteTimeSpan);
            }
        }

        if (syncNow)
        {
            SyncInBackground();
        }
    }

    private async void SyncInBackground()
    {
        try
        {
            await SyncAsync(CancellationToken.None).ConfigureAwait(false);
        }
        catch (Exception fault) when (fault is IOException or ObjectDisposedException)
        {
            // The records stay readable; only a power cut would lose them.
        }
    }

    private int SlotsOf(long capacityBytes) => checked((int)(capacityBytes / RecordBytes));

    private long SegmentBytesUsed => (long)_slotsPerSegment * RecordBytes;

    private long OffsetOf(int slot) => (long)(slot % _slotsPerSegment) * RecordBytes;

    private string SegmentPath(int segment) => Path.Combine(_options.Folder, $"segment-{segment:D5}.kvb");
}
