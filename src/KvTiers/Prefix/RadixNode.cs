namespace KvTiers.Prefix;

/// <summary>An edge of the radix tree and the point it leads to: a run of blocks that share everything but their tokens.</summary>
/// <remarks>
/// Uniform: what is held, used, ranked or superseded is the whole run, because the tree splits a run wherever a path begins to differ.
/// A held node (<see cref="RefCount"/> above 0) is in no eviction list; every other node but a root is in exactly one.
/// A node whose last block is partial has that block alone, and no children.
/// </remarks>
internal class RadixNode(int blockSize)
{
    public const long NoTimeToLive = long.MaxValue;

    /// <summary>The blocks between the parent and this point. Empty at a root only.</summary>
    public BlockRun Run = new(blockSize);

    public RadixNode? Parent;

    /// <summary>The namespace; a root's own is itself.</summary>
    public RadixRoot Root = null!;

    /// <summary>Sorted by the tokens of their first block, so the one with the longest common prefix is next to where a search ends.</summary>
    public List<RadixNode>? Children;

    /// <summary>Leases and pins whose path goes through or ends here; never less than the sum over the children.</summary>
    public int RefCount;

    /// <summary>Cut from its conversation, and every child as well.</summary>
    public bool Superseded;

    /// <summary>Higher stays longer. Never less than a child's.</summary>
    public int Priority;

    /// <summary>Ticks without use after which the node ranks as expired. Never less than a child's.</summary>
    public long TimeToLive = NoTimeToLive;

    /// <summary>When the node was last released, in ticks of the eviction order's clock.</summary>
    public long LastUsed;

    /// <summary>The order of last use, over all nodes; equal only for nodes split from one another.</summary>
    public long UseOrder;

    public EvictionList? List;
    public RadixNode? Previous;
    public RadixNode? Next;

    /// <summary>When the node expires that was last used at a tick of UTC; null for never.</summary>
    public DateTimeOffset? ExpiresAfter(long lastUsed) =>
        TimeToLive > DateTimeOffset.MaxValue.UtcTicks - lastUsed ? null : new DateTimeOffset(lastUsed + TimeToLive, TimeSpan.Zero);

    public bool IsRoot => Parent is null;

    public bool IsLeaf => Children is not { Count: > 0 };
}
