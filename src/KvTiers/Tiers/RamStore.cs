using KvTiers.Blocks;
using KvTiers.Prefix;

namespace KvTiers.Tiers;

/// <summary>Records in native memory, in segments that are mapped as they are needed.</summary>
/// <remarks>Every call completes at once. A record is copied outside the lock, under a pin.</remarks>
public sealed unsafe class RamStore : IRecordStore
{
    private const long SegmentBytes = 64 << 20;

    private readonly Lock _lock = new();
    private readonly List<SlabSegment> _segments = [];
    private readonly TierIndex _index;
    private readonly int _slotsPerSegment;
    private StoreTotals _totals;
    private bool _disposed;

    /// <summary>Creates an empty store.</summary>
    /// <param name="recordBytes">Bytes of every record.</param>
    /// <param name="capacityBytes">Room; at least one record.</param>
    /// <param name="time">Tells which records have expired.</param>
    /// <exception cref="ArgumentOutOfRangeException">The room does not hold a single record.</exception>
    public RamStore(int recordBytes, long capacityBytes, TimeProvider? time = null)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(recordBytes);
        ArgumentOutOfRangeException.ThrowIfLessThan(capacityBytes, recordBytes);
        RecordBytes = recordBytes;
        _slotsPerSegment = (int)Math.Max(1, SegmentBytes / recordBytes);
        _index = new TierIndex(checked((int)(capacityBytes / recordBytes)), time ?? TimeProvider.System);
    }

    /// <summary>Called with each record that is evicted to make room, before its place is taken; outside the lock.</summary>
    /// <remarks>The bytes are valid during the call.</remarks>
    public Action<BlockHash, BlockAttributes, ReadOnlyMemory<byte>>? Evicting { get; set; }

    /// <inheritdoc/>
    public int RecordBytes { get; }

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

    /// <inheritdoc/>
    public ValueTask<int> CountLeadingAsync(ReadOnlyMemory<BlockHash> chain, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            return ValueTask.FromResult(_index.CountLeading(chain.Span));
        }
    }

    /// <inheritdoc/>
    public ValueTask<bool> TryReadAsync(BlockHash hash, Memory<byte> record, CancellationToken cancellationToken)
    {
        int slot;
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            if (!_index.TryFind(hash, out slot))
            {
                return ValueTask.FromResult(false);
            }

            _index.Pin(slot);
        }

        Bytes(slot).CopyTo(record.Span);
        lock (_lock)
        {
            _index.Unpin(slot);
            _totals = _totals with { ReadBytes = _totals.ReadBytes + RecordBytes };
        }

        return ValueTask.FromResult(true);
    }

    /// <inheritdoc/>
    public ValueTask<bool> TryWriteAsync(
        BlockHash hash, ReadOnlyMemory<byte> record, BlockAttributes attributes, CancellationToken cancellationToken)
    {
        if (!TryTake(hash, attributes, out int slot))
        {
            return ValueTask.FromResult(false);
        }

        if (slot >= 0)
        {
            record.Span.CopyTo(Bytes(slot));
            lock (_lock)
            {
                if (_index.Commit(slot))
                {
                    _totals = _totals with { WrittenBytes = _totals.WrittenBytes + RecordBytes };
                }
            }
        }

        return ValueTask.FromResult(true);
    }

    /// <inheritdoc/>
    public ValueTask<int> RemoveAsync(ReadOnlyMemory<BlockHash> hashes, CancellationToken cancellationToken) => ForgetAsync(hashes, cancellationToken);

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
    public ValueTask<long> ResizeAsync(long capacityBytes, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(capacityBytes, RecordBytes);
        int slots = checked((int)(capacityBytes / RecordBytes));
        while (true)
        {
            int victim;
            lock (_lock)
            {
                if (_index.Resize(slots) || !TryPinVictim(out victim))
                {
                    return ValueTask.FromResult(CapacityBytes);
                }
            }

            Evict(victim);
        }
    }

    /// <summary>Evicts every record that nobody is reading, each handed to <see cref="Evicting"/>.</summary>
    internal void EvictAll()
    {
        while (true)
        {
            int victim;
            lock (_lock)
            {
                if (!TryPinVictim(out victim))
                {
                    return;
                }
            }

            Evict(victim);
        }
    }

    /// <inheritdoc/>
    public ValueTask ClearAsync(CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            foreach (int slot in _index.InOrder().ToArray())
            {
                _index.Remove(slot);
            }
        }

        return ValueTask.CompletedTask;
    }

    /// <summary>Unmaps the memory. Nobody may be reading or writing.</summary>
    public ValueTask DisposeAsync()
    {
        lock (_lock)
        {
            _disposed = true;
            foreach (SlabSegment segment in _segments)
            {
                segment.Dispose();
            }

            _segments.Clear();
        }

        return ValueTask.CompletedTask;
    }

    /// <summary>Every record held, the one to be evicted first first.</summary>
    public IReadOnlyList<(BlockHash Hash, BlockAttributes Attributes)> InEvictionOrder()
    {
        lock (_lock)
        {
            return [.. _index.InOrder().Select(slot => (_index.HashOf(slot), _index.AttributesOf(slot)))];
        }
    }

    /// <summary>Takes a slot, evicting as needed; slot −1 when the record is there already.</summary>
    private bool TryTake(BlockHash hash, in BlockAttributes attributes, out int slot)
    {
        while (true)
        {
            int victim;
            lock (_lock)
            {
                ObjectDisposedException.ThrowIf(_disposed, this);
                if (_index.TryFind(hash, out int held))
                {
                    _index.Touch(held, attributes.Expires);
                    slot = -1;
                    return true;
                }

                if (_index.TryTake(hash, attributes, out slot))
                {
                    MapSegmentOf(slot);
                    return true;
                }

                if (!TryPinVictim(out victim))
                {
                    return false;
                }
            }

            Evict(victim);
        }
    }

    // The victim can be found until it is gone, so that no request sees it in no tier at all.
    private bool TryPinVictim(out int victim)
    {
        if (!_index.TryPeekVictim(out victim))
        {
            return false;
        }

        _index.Pin(victim);
        return true;
    }

    private void Evict(int victim)
    {
        BlockHash hash = _index.HashOf(victim);
        if (Evicting is { } evicting)
        {
            using var record = new NativeMemoryManager((byte*)Address(victim), RecordBytes);
            evicting(hash, _index.AttributesOf(victim), record.Memory);
        }

        lock (_lock)
        {
            if (_index.TryFind(hash, out int held) && held == victim)
            {
                _index.Remove(victim);
                _totals = _totals with { EvictedRecords = _totals.EvictedRecords + 1 };
            }

            _index.Unpin(victim);
        }
    }

    private void MapSegmentOf(int slot)
    {
        while (_segments.Count <= slot / _slotsPerSegment)
        {
            _segments.Add(new SlabSegment((long)_slotsPerSegment * RecordBytes));
        }
    }

    private nint Address(int slot)
    {
        lock (_lock)
        {
            return _segments[slot / _slotsPerSegment].Start + ((nint)(slot % _slotsPerSegment) * RecordBytes);
        }
    }

    private Span<byte> Bytes(int slot) => new((void*)Address(slot), RecordBytes);
}
