namespace KvTiers.Prefix;

/// <summary>Where a token sequence leaves the tree.</summary>
/// <param name="Node">The deepest node of which at least one whole block matches, or the root.</param>
/// <param name="NodeBlocks">How many of its blocks match.</param>
/// <param name="BlockCount">Whole blocks that match, from the root.</param>
/// <param name="TailNode">The node with a block that matches in part: <paramref name="Node"/> itself or a child of it.</param>
/// <param name="TailTokens">Tokens of that block that match.</param>
internal readonly record struct PathEnd(RadixNode Node, int NodeBlocks, int BlockCount, RadixNode? TailNode = null, int TailTokens = 0)
{
    /// <summary>The tail is a partial block of which every token matches.</summary>
    public bool TailIsComplete => TailNode is not null && TailNode.Run.IsPartial && TailNode.Run.TokenCount == TailTokens;
}
