namespace KvTiers.Tiers;

/// <content>The order of eviction: a list for each rank, of all blocks, and of each tenant's own.</content>
internal sealed partial class TierIndex
{
    private int ListOf(in Entry entry) =>
        entry.Attributes.Expires is { } expires && expires <= _time.GetUtcNow() ? 0 : 1 + entry.Attributes.Priority;

    // Every slot that may be evicted is in two lists: one of all, and one of its tenant's own.
    private void Append(int slot)
    {
        _entries[slot].List = ListOf(_entries[slot]);
        Append(_all, slot, own: false);
        Append(_tenants[_entries[slot].Attributes.Tenant].Ends, slot, own: true);
    }

    private void Append(Ends ends, int slot, bool own)
    {
        int list = _entries[slot].List, last = ends.Last[list];
        LinksOf(slot, own) = new Links { Previous = last, Next = None };
        if (last == None)
            ends.First[list] = slot;
        else
            LinksOf(last, own).Next = slot;

        ends.Last[list] = slot;
    }

    private void Unlink(int slot)
    {
        if (_entries[slot].List == None)
            return;

        Unlink(_all, slot, own: false);
        Unlink(_tenants[_entries[slot].Attributes.Tenant].Ends, slot, own: true);
        _entries[slot].List = None;
    }

    private void Unlink(Ends ends, int slot, bool own)
    {
        int list = _entries[slot].List;
        Links links = LinksOf(slot, own);
        if (links.Previous == None)
            ends.First[list] = links.Next;
        else
            LinksOf(links.Previous, own).Next = links.Next;

        if (links.Next == None)
            ends.Last[list] = links.Previous;
        else
            LinksOf(links.Next, own).Previous = links.Previous;
    }

    private ref Links LinksOf(int slot, bool own)
    {
        ref Entry entry = ref _entries[slot];
        return ref own ? ref entry.InOwn : ref entry.InAll;
    }

    private struct Links
    {
        public int Previous;
        public int Next;
    }

    private sealed class Ends
    {
        public Ends()
        {
            Array.Fill(First, None);
            Array.Fill(Last, None);
        }

        public int[] First { get; } = new int[Lists];

        public int[] Last { get; } = new int[Lists];
    }
}
