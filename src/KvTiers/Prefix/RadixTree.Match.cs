namespace KvTiers.Prefix;

internal sealed partial class RadixTree
{
    /// <summary>Follows <paramref name="tokens"/> from a node to the first token that differs.</summary>
    public PathEnd Match(RadixNode from, ReadOnlySpan<int> tokens)
    {
        RadixNode node = from;
        int blockCount = 0;
        while (FindChild(node, tokens, out int common) is { } child)
        {
            if (common < _blockSize) return new PathEnd(node, node.Run.BlockCount, blockCount, child, common);
            common = child.Run.Tokens.CommonPrefixLength(tokens);
            int childBlocks = common / _blockSize;
            node = child;
            blockCount += childBlocks;
            tokens = tokens[(childBlocks * _blockSize)..];
            if (childBlocks == child.Run.BlockCount) continue;
            int tailTokens = common % _blockSize;
            return new PathEnd(child, childBlocks, blockCount, tailTokens > 0 ? child : null, tailTokens);
        }

        return new PathEnd(node, node.Run.BlockCount, blockCount);
    }

    /// <summary>The node that ends where the match's whole blocks end; splits one where none does.</summary>
    public RadixNode EndNode(in PathEnd end) => end.NodeBlocks == end.Node.Run.BlockCount ? end.Node : Split(end.Node, end.NodeBlocks);

    /// <summary>The node of just the match's last, partly matching block. To be called after <see cref="EndNode"/>.</summary>
    /// <remarks>Splitting at the end left the lower part its identity, so the block is the first of its node now.</remarks>
    public RadixNode? TailNode(in PathEnd end) => end.TailNode is { } node ? FirstBlockOf(node) : null;

    private RadixNode FirstBlockOf(RadixNode node) => node.Run.BlockCount == 1 ? node : Split(node, 1);

    // The child that shares most tokens of its first block, or null when none shares any.
    private RadixNode? FindChild(RadixNode node, ReadOnlySpan<int> tokens, out int common)
    {
        common = 0;
        if (node.IsLeaf || tokens.IsEmpty) return null;
        ReadOnlySpan<int> block = tokens[..Math.Min(tokens.Length, _blockSize)];
        List<RadixNode> children = node.Children!;
        int index = LowerBound(children, block);
        RadixNode? best = null;
        for (int i = Math.Min(index, children.Count - 1); i >= Math.Max(index - 1, 0); i--)
        {
            int length = children[i].Run.FirstBlockTokens.CommonPrefixLength(block);
            if (length <= common) continue;
            common = length;
            best = children[i];
        }

        return best;
    }

    private static int IndexOf(RadixNode node) => LowerBound(node.Parent!.Children!, node.Run.FirstBlockTokens);

    // The first child whose first block does not sort before the block.
    private static int LowerBound(List<RadixNode> children, ReadOnlySpan<int> block)
    {
        int low = 0;
        int high = children.Count;
        while (low < high)
        {
            int middle = (low + high) >>> 1;
            if (children[middle].Run.FirstBlockTokens.SequenceCompareTo(block) < 0) low = middle + 1;
            else high = middle;
        }

        return low;
    }

    private static bool IsExtendedBySibling(RadixNode partial)
    {
        // Whatever has a block as its prefix sorts right after it.
        List<RadixNode> siblings = partial.Parent!.Children!;
        int next = IndexOf(partial) + 1;
        return next < siblings.Count && siblings[next].Run.FirstBlockTokens.StartsWith(partial.Run.Tokens);
    }

    /// <summary>The first nodes of the tree, depth first.</summary>
    public RadixDump Dump(int maxNodes)
    {
        long now = Order.ReadClock();
        List<RadixDumpNode> nodes = [];
        Stack<(RadixNode Node, int Depth)> waiting = new();
        foreach (RadixRoot root in _roots.Values) waiting.Push((root, 0));
        while (nodes.Count < maxNodes && waiting.TryPop(out (RadixNode Node, int Depth) next))
        {
            nodes.Add(Describe(next.Node, next.Depth, now));
            for (int i = (next.Node.Children?.Count ?? 0) - 1; i >= 0; i--) waiting.Push((next.Node.Children![i], next.Depth + 1));
        }

        return new RadixDump(nodes, waiting.Count == 0);
    }

    private RadixDumpNode Describe(RadixNode node, int depth, long now) => new()
    {
        Depth = depth,
        Hash = HashAfter(node, node.Run.BlockCount),
        Blocks = node.Run.BlockCount,
        Tokens = node.Run.TokenCount,
        FirstTokens = node.Run.FirstBlockTokens.ToArray(),
        Children = node.Children?.Count ?? 0,
        RefCount = node.RefCount,
        Superseded = node.Superseded,
        Priority = node.Priority,
        TimeToLive = node.TimeToLive == RadixNode.NoTimeToLive ? null : TimeSpan.FromTicks(node.TimeToLive),
        Unused = node.List is null ? null : TimeSpan.FromTicks(now - node.LastUsed),
    };

    /// <summary>Hashes of whole blocks that an edit has not cut off, those of nodes near the roots first.</summary>
    public void CopyHashes(List<BlockHash> hashes, int most)
    {
        Queue<RadixNode> waiting = new(_roots.Values);
        while (hashes.Count < most && waiting.TryDequeue(out RadixNode? node))
        {
            if (node.Superseded) continue;
            if (!node.Run.IsPartial)
            {
                ReadOnlySpan<int> slots = node.Run.Slots;
                foreach (int slot in slots[..Math.Min(slots.Length, most - hashes.Count)]) hashes.Add(_hashes[slot]);
            }

            foreach (RadixNode child in node.Children ?? []) waiting.Enqueue(child);
        }
    }
}
