namespace KvTiers.Prefix;

/// <summary>Nodes that differ only in last use, doubly linked, the least recently used first.</summary>
internal sealed class EvictionList
{
    public bool Superseded;
    public int Priority;
    public long TimeToLive;
    public RadixNode? Head;
    public RadixNode? Tail;

    public bool Accepts(RadixNode node) => node.Superseded == Superseded && node.Priority == Priority && node.TimeToLive == TimeToLive;

    /// <summary>Puts <paramref name="node"/> after <paramref name="previous"/>, or first.</summary>
    public void Insert(RadixNode node, RadixNode? previous)
    {
        RadixNode? next = previous is null ? Head : previous.Next;
        node.List = this;
        node.Previous = previous;
        node.Next = next;
        if (previous is null) Head = node;
        else previous.Next = node;
        if (next is null) Tail = node;
        else next.Previous = node;
    }

    public void Remove(RadixNode node)
    {
        if (node.Previous is null) Head = node.Next;
        else node.Previous.Next = node.Next;
        if (node.Next is null) Tail = node.Previous;
        else node.Next.Previous = node.Previous;
        node.List = null;
        node.Previous = null;
        node.Next = null;
    }
}
