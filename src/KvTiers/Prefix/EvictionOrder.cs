namespace KvTiers.Prefix;

/// <summary>Finds the block that goes first: a superseded one, then an expired one, then one of lowest priority, then the least recently used, then the deepest.</summary>
/// <remarks>
/// One list per combination of superseded mark, priority and time to live that is present, each in order of last use; the first of all is
/// the first of the heads under one comparison. A path is always appended deepest node first, and a parent never ranks before a child in any
/// of the three, so the first of all is a leaf. With a handful of combinations every operation is O(1).
/// </remarks>
internal sealed class EvictionOrder(TimeProvider time)
{
    private readonly List<EvictionList> _lists = [];
    private long _uses;
    private long _now;

    public IReadOnlyList<EvictionList> Lists => _lists;

    /// <summary>Ticks of UTC that never run backwards, whatever the system's clock does: a parent is never used before its child.</summary>
    public long ReadClock() => _now = Math.Max(_now, time.GetUtcNow().UtcTicks);

    /// <summary>The node counts as used now.</summary>
    public void Append(RadixNode node)
    {
        EvictionList list = ListFor(node);
        node.LastUsed = ReadClock();
        node.UseOrder = ++_uses;
        list.Insert(node, list.Tail);
    }

    /// <summary>Puts the upper part of a split node behind the lower part, as if used at the same moment.</summary>
    public static void InsertUpper(RadixNode upper, RadixNode lower) => lower.List!.Insert(upper, lower);

    public static void Remove(RadixNode node) => node.List!.Remove(node);

    /// <summary>The node to lose a block first, and why; null when every block is held.</summary>
    /// <param name="cause">Why.</param>
    /// <param name="of">Null for any namespace. Of one namespace the first is a leaf as well, and found in the time of passing over the others'.</param>
    public RadixNode? First(out EvictionCause cause, RadixRoot? of = null)
    {
        long now = ReadClock();
        RadixNode? first = null;
        cause = EvictionCause.LeastRecentlyUsed;
        foreach (EvictionList list in _lists)
        {
            RadixNode? head = list.Head;
            while (of is not null && head is not null && head.Root != of) head = head.Next;
            if (head is null) continue;
            EvictionCause headCause = CauseOf(head, now);
            if (first is not null && !Precedes(head, headCause, first, cause)) continue;
            first = head;
            cause = headCause;
        }

        return first;
    }

    private static bool Precedes(RadixNode node, EvictionCause cause, RadixNode other, EvictionCause otherCause)
    {
        if (node.Superseded != other.Superseded) return node.Superseded;
        if (cause != otherCause) return cause < otherCause;
        if (node.Priority != other.Priority) return node.Priority < other.Priority;
        return node.UseOrder < other.UseOrder;
    }

    private static EvictionCause CauseOf(RadixNode node, long now)
    {
        if (node.Superseded) return EvictionCause.Superseded;
        return now - node.LastUsed >= node.TimeToLive ? EvictionCause.Expired : EvictionCause.LeastRecentlyUsed;
    }

    private EvictionList ListFor(RadixNode node)
    {
        EvictionList? empty = null;
        foreach (EvictionList list in _lists)
        {
            if (list.Accepts(node)) return list;
            if (list.Head is null) empty = list;
        }

        if (empty is null) _lists.Add(empty = new EvictionList());
        empty.Superseded = node.Superseded;
        empty.Priority = node.Priority;
        empty.TimeToLive = node.TimeToLive;
        return empty;
    }
}
