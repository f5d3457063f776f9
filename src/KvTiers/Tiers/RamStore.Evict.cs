using KvTiers.Prefix;

namespace KvTiers.Tiers;

/// <content>Records leave, each handed on before its place is taken, and memory is given back when the store shrinks.</content>
internal sealed unsafe partial class RamStore
{
    private const int VictimsPerRetirement = 1024;

    /// <inheritdoc/>
    public ValueTask<long> ResizeAsync(long capacityBytes, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(capacityBytes, RecordBytes);
        int slots = checked((int)(capacityBytes / RecordBytes));
        int evicted = 0;
        while (true)
        {
            int victim = 0;
            lock (_lock)
            {
                // Retiring looks at every slot, so it is done once in a while and not for each victim.
                bool ended = _index.InUseCount <= slots || !TryPinVictim(out victim);
                if (ended || evicted++ % VictimsPerRetirement == 0)
                    _index.Resize(slots);

                if (ended)
                {
                    Discard(_index.IsRetired);
                    return ValueTask.FromResult(CapacityBytes);
                }
            }

            Evict(victim);
        }
    }

    /// <inheritdoc/>
    public ValueTask FlushAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            int victim;
            lock (_lock)
            {
                if (!TryPinVictim(out victim))
                    return ValueTask.CompletedTask;
            }

            Evict(victim);
        }
    }

    // The victim can be found until it is gone, so that no request sees it in no tier at all.
    private bool TryPinVictim(out int victim)
    {
        if (!_index.TryPeekVictim(out victim))
            return false;

        _index.Pin(victim);
        return true;
    }

    private void Evict(int victim)
    {
        BlockHash hash;
        BlockAttributes attributes;
        nint address;
        lock (_lock)
        {
            hash = _index.HashOf(victim);
            attributes = _index.AttributesOf(victim);
            address = Address(victim);
        }

        try
        {
            if (Evicting is { } evicting)
            {
                using var record = new NativeMemoryManager((byte*)address, RecordBytes);
                evicting(hash, attributes, record.Memory);
            }
        }
        finally
        {
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
    }

    /// <summary>Gives the memory of slots back to the system, in runs.</summary>
    private void Discard(Func<int, bool> isUnused)
    {
        for (int segment = 0; segment < _segments.Count; segment++)
        {
            int first = segment * _slotsPerSegment;
            int end = Math.Min(first + _slotsPerSegment, _index.SlotCount);
            for (int slot = first; slot < end; slot++)
            {
                int start = slot;
                while (slot < end && isUnused(slot))
                    slot++;

                if (slot > start)
                    _segments[segment].Discard((long)(start - first) * RecordBytes, (long)(slot - start) * RecordBytes);
            }
        }
    }
}
