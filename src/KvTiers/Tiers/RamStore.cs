using KvTiers.Blocks;
using KvTiers.Prefix;

namespace KvTiers.Tiers;

/// <summary>Records in native memory, in segments that are mapped as they are needed.</summary>
/// <remarks>Every call completes at once. A record is copied outside the lock, under a pin.</remarks>
public sealed unsafe partial class RamStore : IRecordStore
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

    /// <summary>Whether a record can be found. A victim can, until it is gone; one that was removed cannot.</summary>
    internal bool Holds(BlockHash hash)
    {
        lock (_lock)
        {
            return _index.TryFind(hash, out _);
        }
    }

    /// <inheritdoc/>
    public ValueTask<bool> TryReadAsync(BlockHash hash, Memory<byte> record, CancellationToken cancellationToken)
    {
        if (!TryPin(hash, out int slot, out ReadOnlySpan<byte> bytes))
        {
            return ValueTask.FromResult(false);
        }

        bytes.CopyTo(record.Span);
        Unpin(slot);
        return ValueTask.FromResult(true);
    }

    /// <inheritdoc/>
    public ValueTask<bool> TryWriteAsync(
        BlockHash hash, ReadOnlyMemory<byte> record, BlockAttributes attributes, CancellationToken cancellationToken)
    {
        if (!TryTake(hash, attributes, out int slot, out Span<byte> bytes))
        {
            return ValueTask.FromResult(false);
        }

        if (slot >= 0)
        {
            record.Span.CopyTo(bytes);
            Commit(slot);
        }

        return ValueTask.FromResult(true);
    }

    /// <summary>Lends a record where it lies, until <see cref="Unpin"/>; a use of it.</summary>
    /// <returns>False when it is not held.</returns>
    internal bool TryPin(BlockHash hash, out int slot, out ReadOnlySpan<byte> record)
    {
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            record = default;
            if (!_index.TryFind(hash, out slot))
            {
                return false;
            }

            _index.Pin(slot);
            record = Bytes(slot);
            return true;
        }
    }

    /// <summary>Ends <see cref="TryPin"/>.</summary>
    internal void Unpin(int slot)
    {
        lock (_lock)
        {
            _index.Unpin(slot);
            _totals = _totals with { ReadBytes = _totals.ReadBytes + RecordBytes };
        }
    }

    /// <summary>Takes the place of a record that is not there yet, evicting as needed, until <see cref="Commit"/> or <see cref="Abandon"/>.</summary>
    /// <param name="hash">The block.</param>
    /// <param name="attributes">What is kept beside it.</param>
    /// <param name="slot">The place; −1 when the record is there already, which counts as a use.</param>
    /// <param name="record">The place's bytes, to be written.</param>
    /// <returns>False when there is no room that may be taken.</returns>
    internal bool TryTake(BlockHash hash, in BlockAttributes attributes, out int slot, out Span<byte> record)
    {
        record = default;
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
                    record = Bytes(slot);
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

    /// <summary>The record that was written to a place taken can be found from now on.</summary>
    internal void Commit(int slot)
    {
        lock (_lock)
        {
            if (_index.Commit(slot))
            {
                _totals = _totals with { WrittenBytes = _totals.WrittenBytes + RecordBytes };
            }
        }
    }

    /// <summary>Gives up a place taken.</summary>
    internal void Abandon(int slot)
    {
        lock (_lock)
        {
            _index.Abandon(slot);
        }
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

    /// <summary>Forgets one record, if it is held.</summary>
    internal void Forget(BlockHash hash)
    {
        lock (_lock)
        {
            _index.Remove([hash]);
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
    public ValueTask ClearAsync(CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            foreach (int slot in _index.InOrder().ToArray())
            {
                _index.Remove(slot);
            }

            Discard(_index.IsUnused);
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

    private void MapSegmentOf(int slot)
    {
        while (_segments.Count <= slot / _slotsPerSegment)
        {
            _segments.Add(new SlabSegment((long)_slotsPerSegment * RecordBytes));
        }
    }

    // Under the lock: the list of segments may grow.
    private Span<byte> Bytes(int slot) => new((void*)Address(slot), RecordBytes);

    private nint Address(int slot) => _segments[slot / _slotsPerSegment].Start + ((nint)(slot % _slotsPerSegment) * RecordBytes);
}
