namespace KvTiers.Tiers;

/// <summary>What promotions have come to since the stack was made, in blocks.</summary>
/// <param name="HeldBlocks">Blocks that colder tiers held in an unbroken run after what was hot.</param>
/// <param name="PlannedBlocks">Those of them that were worth loading.</param>
/// <param name="LoadedBlocks">Those that arrived, whole ones and partial last ones.</param>
public readonly record struct PromotionTotals(long HeldBlocks, long PlannedBlocks, long LoadedBlocks);
