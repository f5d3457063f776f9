using KvTiers.Prefix;

namespace KvTiers.Tiers;

/// <content>Blocks leave: as victims, when they are removed, and when they expire.</content>
internal sealed partial class TierIndex
{
    /// <summary>The block that goes first. It stays where it is.</summary>
    public bool TryPeekVictim(out int slot)
    {
        CollectExpired();
        slot = None;
        for (int list = 0; list < Lists && slot == None; list++)
            slot = _all.First[list];

        return slot != None;
    }

    /// <summary>Forgets blocks of a tenant, the first victim first.</summary>
    /// <returns>How many.</returns>
    public int EvictTenant(int tenant, int atMost)
    {
        int[] victims = VictimsOf(tenant, atMost);
        foreach (int slot in victims)
            Remove(slot);

        return victims.Length;
    }

    /// <summary>The slots that <see cref="EvictTenant"/> would free.</summary>
    public int[] VictimsOf(int tenant, int atMost)
    {
        CollectExpired();
        var victims = new List<int>();
        for (int list = 0; list < Lists && _tenants.TryGetValue(tenant, out Tenant? held); list++)
        {
            for (int slot = held.Ends.First[list]; slot != None && victims.Count < atMost; slot = _entries[slot].InOwn.Next)
            {
                victims.Add(slot);
                VisitedEntries++;
            }
        }

        return [.. victims];
    }

    /// <summary>Forgets a block at once. Its slot is free, or will be when its last pin goes.</summary>
    public void Remove(int slot)
    {
        ref Entry entry = ref _entries[slot];
        _slots.Remove(entry.Hash);
        Unlink(slot);
        ForgetTenantOf(entry);
        if (entry.Pins > 0)
            entry.Removed = true;
        else
            Abandon(slot);
    }

    /// <inheritdoc cref="Remove(int)"/>
    /// <returns>How many were held.</returns>
    public int Remove(ReadOnlySpan<BlockHash> hashes)
    {
        int removed = 0;
        foreach (BlockHash hash in hashes)
        {
            if (TryFind(hash, out int slot))
            {
                Remove(slot);
                removed++;
            }
        }

        return removed;
    }

    /// <summary>Gives blocks a time to expire, which counts as no use.</summary>
    /// <returns>How many were held.</returns>
    public int Expire(ReadOnlySpan<BlockHash> hashes, DateTimeOffset at)
    {
        int held = 0;
        foreach (BlockHash hash in hashes)
        {
            if (TryFind(hash, out int slot))
            {
                _entries[slot].Attributes = _entries[slot].Attributes with { Expires = at };
                TrackExpiry(slot);
                held++;
            }
        }

        return held;
    }

    // An expiry that was moved leaves its old item behind; it is told by its time and passed over.
    private void TrackExpiry(int slot)
    {
        if (_entries[slot].Attributes.Expires is not { } expires)
            return;

        if (_expiries.Count > (2 * SlotCount) + 64)
        {
            _expiries.Clear();
            foreach (int held in _slots.Values)
            {
                if (_entries[held].Attributes.Expires is { } other)
                    _expiries.Enqueue((held, _entries[held].Hash), other.UtcTicks);
            }
        }

        _expiries.Enqueue((slot, _entries[slot].Hash), expires.UtcTicks);
    }

    private void CollectExpired()
    {
        long now = _time.GetUtcNow().UtcTicks;
        while (_expiries.TryPeek(out (int Slot, BlockHash Hash) item, out long ticks) && ticks <= now)
        {
            _expiries.Dequeue();
            ref Entry entry = ref _entries[item.Slot];
            bool current = entry.State == SlotState.Held && entry.Hash == item.Hash && entry.Attributes.Expires?.UtcTicks == ticks;
            if (current && entry.Pins == 0 && entry.List != 0)
            {
                Unlink(item.Slot);
                Append(item.Slot);
            }
        }
    }
}
