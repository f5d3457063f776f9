namespace KvTiers.Prefix;

internal sealed partial class RadixTree
{
    /// <summary>The deepest node whose tokens all lie on the path, a partial last block included.</summary>
    /// <param name="root">Where the path starts.</param>
    /// <param name="tokens">The path.</param>
    /// <param name="blockCount">Blocks from the root to there.</param>
    public RadixNode PathNode(RadixNode root, ReadOnlySpan<int> tokens, out int blockCount)
    {
        PathEnd end = Match(root, tokens);
        blockCount = end.BlockCount;
        RadixNode node = EndNode(end);
        if (!end.TailIsComplete) return node;
        blockCount++;
        return end.TailNode!;
    }

    /// <summary>Marks the path's blocks from index <paramref name="keptBlocks"/> on, as far as neither a hold nor a live branch needs them.</summary>
    public SupersedeResult Supersede(RadixNode root, ReadOnlySpan<int> tokens, int keptBlocks)
    {
        RadixNode node = PathNode(root, tokens, out int blockCount);
        int pathBlocks = blockCount;
        while (blockCount > keptBlocks && node.RefCount == 0 && !HasLiveChild(node))
        {
            blockCount -= node.Run.BlockCount;
            if (blockCount < keptBlocks)
            {
                Split(node, keptBlocks - blockCount);
                blockCount = keptBlocks;
            }

            MarkSuperseded(node);
            node = node.Parent!;
        }

        return new SupersedeResult(pathBlocks - blockCount, Math.Max(0, blockCount - keptBlocks));
    }

    /// <summary>Frees the path's blocks from index <paramref name="keptBlocks"/> on, the deepest first, as far as neither a hold nor another branch needs them.</summary>
    public EraseResult Erase(RadixNode root, ReadOnlySpan<int> tokens, int keptBlocks)
    {
        RadixNode node = PathNode(root, tokens, out int blockCount);
        int erased = 0;
        while (!node.IsRoot && node.RefCount == 0 && node.IsLeaf && blockCount - erased > keptBlocks)
        {
            int above = blockCount - erased - node.Run.BlockCount;
            if (above < keptBlocks) Split(node, keptBlocks - above);
            RadixNode parent = node.Parent!;
            erased += node.Run.BlockCount;
            Drop(node);
            node = parent;
        }

        return new EraseResult(erased, (long)erased * pool.Shape.BytesPerBlock, blockCount - erased);
    }

    /// <summary>Ranks the whole path. A block that continues into another branch never falls below that branch. Counts as use.</summary>
    public int SetPriority(RadixNode root, ReadOnlySpan<int> tokens, int priority) =>
        Rank(root, tokens, node =>
        {
            node.Priority = priority;
            foreach (RadixNode child in node.Children ?? []) node.Priority = Math.Max(node.Priority, child.Priority);
        });

    /// <summary>Gives the whole path a time to live, in ticks. A block never expires before one that continues it. Counts as use.</summary>
    public int SetTimeToLive(RadixNode root, ReadOnlySpan<int> tokens, long timeToLive) =>
        Rank(root, tokens, node =>
        {
            node.TimeToLive = timeToLive;
            foreach (RadixNode child in node.Children ?? []) node.TimeToLive = Math.Max(node.TimeToLive, child.TimeToLive);
        });

    private int Rank(RadixNode root, ReadOnlySpan<int> tokens, Action<RadixNode> rank)
    {
        RadixNode node = PathNode(root, tokens, out int blockCount);
        for (; !node.IsRoot; node = node.Parent!)
        {
            bool linked = node.List is not null;
            if (linked) Unlink(node);
            rank(node);
            if (linked) Link(node);
        }

        return blockCount;
    }

    private void MarkSuperseded(RadixNode node)
    {
        // To mark again would count as use, and of the child only: the node above it may be outside the cut.
        if (node.Superseded) return;
        Unlink(node);
        node.Superseded = true;
        SupersededBlockCount += node.Run.BlockCount;
        Link(node);
    }

    private static bool HasLiveChild(RadixNode node)
    {
        if (node.IsLeaf) return false;
        foreach (RadixNode child in node.Children!)
        {
            if (!child.Superseded)
                return true;
        }
        return false;
    }
}
