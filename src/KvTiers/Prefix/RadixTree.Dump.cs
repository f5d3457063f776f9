using KvTiers.Diagnostics;

namespace KvTiers.Prefix;

internal sealed partial class RadixTree
{
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
}
