namespace KvTiers.Tiers;

/// <summary>What a promotion brought into the hot tier.</summary>
/// <param name="TokensByTier">Tokens loaded from each tier of the stack, in its order.</param>
/// <param name="FoundBlocks">Blocks that colder tiers had in an unbroken run.</param>
/// <param name="PlannedBlocks">Those of them that were worth loading.</param>
/// <param name="LoadedBlocks">Those that arrived, whole ones and a partial last one.</param>
public sealed record PromotionResult(IReadOnlyList<int> TokensByTier, int FoundBlocks, int PlannedBlocks, int LoadedBlocks)
{
    /// <summary>Whether it ended for want of hot blocks: tried again when there are some, it may bring more.</summary>
    public bool LackedRoom { get; init; }

    /// <summary>Tokens loaded in all.</summary>
    public int TokenCount => TokensByTier.Sum();
}
