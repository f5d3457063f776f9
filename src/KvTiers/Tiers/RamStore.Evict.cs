using KvTiers.Prefix;

namespace KvTiers.Tiers;

/// <content>Records leave, each handed on before its place is taken, and memory is given back when the store shrinks.</content>
internal sealed unsafe partial class RamStore
{
    private const int VictimsPerRetirement = 1024;

    public ValueTask<long> ResizeAsync(long capacityBytes, CancellationToken cancellationToken)
    {
        int slots = SlotsOf(capacityBytes);
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

    private void Discard(Func<int, bool> isUnused) =>
        GiveBack(_segments.Count, isUnused, (segment, offset, byteCount) => _segments[segment].Discard(offset, byteCount));
}
