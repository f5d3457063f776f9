using KvTiers.Prefix;

namespace KvTiers.Tiers.Disk;

/// <summary>
/// Records in preallocated segment files: each has its slot, is written with one write, and is overwritten in place when
/// the slot goes to another.
/// </summary>
/// <remarks>
/// The index lives in memory. A clean shutdown leaves it beside the segments; otherwise opening reads every slot's header.
/// A slot that was being overwritten when the power went fails its checksums and is a miss; nothing else is affected.
/// A removed record's header is overwritten, so it stays removed. Where the file system has less room than the store may take, or
/// nothing can be written, the store makes do with what it has, says so (<see cref="Trouble"/>), and looks again later.
/// </remarks>
internal sealed partial class DiskStore : SlotStore, IPartedStore
{
    private readonly BlockRecord _format;
    private readonly DiskStoreOptions _options;
    private readonly TimeProvider _time;
    private readonly FileStream _lockFile;
    private readonly List<DirectFile> _segments = [];
    private readonly List<(BlockHash Hash, int Slot)> _standing = [];
    private readonly DiskSync _sync;
    private readonly DiskRoom _room;
    private int _configuredSlots;
    private string? _shortage;
    private DateTimeOffset _lookAgainAt;
    private bool _disposed;

    private DiskStore(BlockRecord format, DiskStoreOptions options, TimeProvider time, FileStream lockFile)
        : base(format.RecordBytes, options.SegmentBytes, FirstCapacity(format.RecordBytes, options), time)
    {
        _format = format;
        _options = options;
        _time = time;
        _lockFile = lockFile;
        _configuredSlots = SlotsOf(options.CapacityBytes);
        _room = new DiskRoom(options, RecordBytes, _slotsPerSegment);
        _sync = new DiskSync(options, time);
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
        ReserveThreads(options.ConcurrentTransfers);
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
        return store;
    }

    public async ValueTask<int> EvictAsync(int tenant, int atMost, CancellationToken cancellationToken)
    {
        BlockHash[] victims;
        lock (_lock)
            victims = [.. _index.VictimsOf(tenant, atMost).Select(_index.HashOf)];

        // Nothing takes their slots at once, as in other evictions: without their headers no later start finds them.
        int evicted = await RemoveAsync(victims, cancellationToken).ConfigureAwait(false);
        lock (_lock)
            _totals = _totals with { EvictedRecords = _totals.EvictedRecords + evicted };

        return evicted;
    }

    public ValueTask<long> ResizeAsync(long capacityBytes, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            _configuredSlots = SlotsOf(capacityBytes);
            while (_index.InUseCount > _configuredSlots && _index.TryPeekVictim(out int victim))
                Evict(victim);

            Fit();
            GiveBack(
                _segments.Count,
                _index.IsRetired,
                (segment, offset, byteCount) =>
                {
                    _segments[segment].GiveBack(offset, byteCount);
                    _room.GiveBack(segment, offset, byteCount);
                });
            return ValueTask.FromResult(CapacityBytes);
        }
    }

    public async ValueTask ClearAsync(CancellationToken cancellationToken)
    {
        BlockHash[] all;
        lock (_lock)
            all = [.. _index.InOrder().Select(_index.HashOf)];

        await RemoveAsync(all, cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc cref="DiskSync.SyncAsync"/>
    public Task SyncAsync(CancellationToken cancellationToken) => _sync.SyncAsync(cancellationToken);

    /// <summary>Forces everything to the device, leaves the index for the next start, and closes.</summary>
    public async ValueTask DisposeAsync()
    {
        lock (_lock)
        {
            if (_disposed)
                return;

            _disposed = true;
        }

        await _sync.DisposeAsync().ConfigureAwait(false);
        try
        {
            await SyncAsync(CancellationToken.None).ConfigureAwait(false);
            lock (_lock)
            {
                // Whoever removed a record whose header still stands is to find it at the next start, by its header.
                if (_standing.Count == 0)
                    SaveIndex();
            }
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException or ObjectDisposedException)
        {
            // Without the index the next start reads the headers.
        }

        foreach (DirectFile segment in _segments)
            segment.Dispose();

        await _lockFile.DisposeAsync().ConfigureAwait(false);
    }

    // Beyond its minimum the pool adds a thread only every now and then, and transfers would wait for one another till then.
    private static void ReserveThreads(int transfers)
    {
        ThreadPool.GetMinThreads(out int workers, out int ports);
        if (transfers > 0 && workers < Environment.ProcessorCount + transfers)
            ThreadPool.SetMinThreads(Environment.ProcessorCount + transfers, ports);
    }

    // The index is no larger than what may lie there: a capacity may be far beyond the disk.
    private static long FirstCapacity(int recordBytes, DiskStoreOptions options)
    {
        long held = Directory.EnumerateFiles(options.Folder, "segment-*.kvb").Sum(path => new FileInfo(path).Length);
        long free = options.Space(options.Folder)?.FreeBytes ?? options.CapacityBytes;
        return Math.Max(recordBytes, Math.Min(options.CapacityBytes, held + free));
    }

    private long SegmentBytesUsed => (long)_slotsPerSegment * RecordBytes;

    private string SegmentPath(int segment) => Path.Combine(_options.Folder, $"segment-{segment:D5}.kvb");
}
