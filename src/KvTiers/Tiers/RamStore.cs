using KvTiers.Blocks;
using KvTiers.Prefix;

namespace KvTiers.Tiers;

/// <summary>Records in native memory, in segments that are mapped as they are needed.</summary>
/// <remarks>Every call completes at once. A record is copied outside the lock, under a pin.</remarks>
internal sealed unsafe partial class RamStore : SlotStore, IMemoryStore
{
    private const long SegmentBytes = 64 << 20;

    private readonly List<SlabSegment> _segments = [];
    private readonly Func<long, SlabSegment> _map;
    private bool _disposed;

    /// <summary>Creates an empty store.</summary>
    /// <param name="recordBytes">Bytes of every record.</param>
    /// <param name="capacityBytes">Room; at least one record.</param>
    /// <param name="time">Tells which records have expired.</param>
    /// <exception cref="ArgumentOutOfRangeException">The room does not hold a single record.</exception>
    public RamStore(int recordBytes, long capacityBytes, TimeProvider? time = null)
        : this(recordBytes, capacityBytes, time, static byteCount => new SlabSegment(byteCount))
    {
    }

    internal RamStore(int recordBytes, long capacityBytes, TimeProvider? time, Func<long, SlabSegment> map)
        : base(recordBytes, SegmentBytes, capacityBytes, time ?? TimeProvider.System) => _map = map;

    public bool IsInPlace => true;

    public Action<BlockHash, BlockAttributes, ReadOnlyMemory<byte>>? Evicting { get; set; }

    public ValueTask<bool> TryReadAsync(BlockHash hash, Memory<byte> record, CancellationToken cancellationToken)
    {
        if (!TryPin(hash, out int slot, out ReadOnlySpan<byte> bytes))
            return ValueTask.FromResult(false);

        bytes.CopyTo(record.Span);
        Unpin(slot);
        return ValueTask.FromResult(true);
    }

    public ValueTask<bool> TryWriteAsync(
        BlockHash hash, ReadOnlyMemory<byte> record, BlockAttributes attributes, CancellationToken cancellationToken)
    {
        if (!TryTake(hash, attributes, out int slot, out Span<byte> bytes))
            return ValueTask.FromResult(false);

        if (slot >= 0)
        {
            record.Span.CopyTo(bytes);
            Commit(slot);
        }

        return ValueTask.FromResult(true);
    }

    public bool TryPin(BlockHash hash, out int slot, out ReadOnlySpan<byte> record)
    {
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            record = default;
            if (!_index.TryFind(hash, out slot))
                return false;

            _index.Pin(slot);
            record = Bytes(slot);
            return true;
        }
    }

    public void Unpin(int slot)
    {
        lock (_lock)
        {
            _index.Unpin(slot);
            _totals = _totals with { ReadBytes = _totals.ReadBytes + RecordBytes };
        }
    }

    public bool TryTake(BlockHash hash, in BlockAttributes attributes, out int slot, out Span<byte> record)
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
                    try
                    {
                        MapSegmentOf(slot);
                    }
                    catch
                    {
                        _index.Abandon(slot);
                        throw;
                    }

                    record = Bytes(slot);
                    return true;
                }

                if (!TryPinVictim(out victim))
                    return false;
            }

            Evict(victim);
        }
    }

    public void Commit(int slot)
    {
        lock (_lock)
        {
            if (_index.Commit(slot))
                _totals = _totals with { WrittenBytes = _totals.WrittenBytes + RecordBytes };
        }
    }

    public void Abandon(int slot)
    {
        lock (_lock)
            _index.Abandon(slot);
    }

    public ValueTask<int> RemoveAsync(ReadOnlyMemory<BlockHash> hashes, CancellationToken cancellationToken) => ForgetAsync(hashes, cancellationToken);

    public ValueTask<int> EvictAsync(int tenant, int atMost, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            int evicted = _index.EvictTenant(tenant, atMost);
            _totals = _totals with { EvictedRecords = _totals.EvictedRecords + evicted };
            return ValueTask.FromResult(evicted);
        }
    }

    public ValueTask ClearAsync(CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            foreach (int slot in _index.InOrder().ToArray())
                _index.Remove(slot);

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
                segment.Dispose();

            _segments.Clear();
        }

        return ValueTask.CompletedTask;
    }

    /// <summary>Every record held, the one to be evicted first first.</summary>
    public IReadOnlyList<(BlockHash Hash, BlockAttributes Attributes)> InEvictionOrder()
    {
        lock (_lock)
            return [.. _index.InOrder().Select(slot => (_index.HashOf(slot), _index.AttributesOf(slot)))];
    }

    private void MapSegmentOf(int slot)
    {
        while (_segments.Count <= slot / _slotsPerSegment)
            _segments.Add(_map((long)_slotsPerSegment * RecordBytes));
    }

    // Under the lock: the list of segments may grow.
    private Span<byte> Bytes(int slot) => new((void*)Address(slot), RecordBytes);

    private nint Address(int slot) => _segments[slot / _slotsPerSegment].Start + (nint)OffsetOf(slot);
}
