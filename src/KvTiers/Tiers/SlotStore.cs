using KvTiers.Prefix;

namespace KvTiers.Tiers;

/// <summary>Keeps records in numbered slots of equal segments, and finds them by an index under one lock. What a segment is, memory or a file, is the store's own.</summary>
internal abstract class SlotStore
{
    protected readonly Lock _lock = new();
    protected readonly TierIndex _index;
    protected readonly int _slotsPerSegment;
    protected StoreTotals _totals;

    /// <exception cref="ArgumentOutOfRangeException">The room does not hold a single record.</exception>
    protected SlotStore(int recordBytes, long segmentBytes, long capacityBytes, TimeProvider time)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(recordBytes);
        RecordBytes = recordBytes;
        _slotsPerSegment = (int)Math.Max(1, segmentBytes / recordBytes);
        _index = new TierIndex(SlotsOf(capacityBytes), time);
    }

    public int RecordBytes { get; }

    public long CapacityBytes => (long)_index.Capacity * RecordBytes;

    public long UsedBytes => (long)_index.Count * RecordBytes;

    public long Count => _index.Count;

    public StoreTotals Totals
    {
        get
        {
            lock (_lock)
                return _totals;
        }
    }

    public ValueTask<int> CountLeadingAsync(ReadOnlyMemory<BlockHash> chain, CancellationToken cancellationToken)
    {
        lock (_lock)
            return ValueTask.FromResult(_index.CountLeading(chain.Span));
    }

    public ValueTask<int> ForgetAsync(ReadOnlyMemory<BlockHash> hashes, CancellationToken cancellationToken)
    {
        lock (_lock)
            return ValueTask.FromResult(_index.Remove(hashes.Span));
    }

    public ValueTask<int> ExpireAsync(ReadOnlyMemory<BlockHash> hashes, DateTimeOffset at, CancellationToken cancellationToken)
    {
        lock (_lock)
            return ValueTask.FromResult(_index.Expire(hashes.Span, at));
    }

    public ValueTask<long> CountAsync(int tenant, CancellationToken cancellationToken)
    {
        lock (_lock)
            return ValueTask.FromResult((long)_index.CountOf(tenant));
    }

    /// <summary>Gives the room of slots back in runs: neighbours in one segment go together.</summary>
    /// <param name="segmentCount">Segments that there are.</param>
    /// <param name="isUnused">Which slots go.</param>
    /// <param name="giveBack">Takes a segment, an offset in it, and bytes.</param>
    protected void GiveBack(int segmentCount, Func<int, bool> isUnused, Action<int, long, long> giveBack)
    {
        int end = Math.Min(segmentCount * _slotsPerSegment, _index.SlotCount);
        for (int slot = 0; slot < end;)
        {
            int start = slot++;
            if (!isUnused(start))
                continue;
            while (slot < end && slot % _slotsPerSegment != 0 && isUnused(slot))
                slot++;
            giveBack(start / _slotsPerSegment, OffsetOf(start), (long)(slot - start) * RecordBytes);
        }
    }

    protected long OffsetOf(int slot) => (long)(slot % _slotsPerSegment) * RecordBytes;

    protected int SlotsOf(long capacityBytes)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(capacityBytes, RecordBytes);
        return (int)Math.Min(int.MaxValue, capacityBytes / RecordBytes);
    }
}
