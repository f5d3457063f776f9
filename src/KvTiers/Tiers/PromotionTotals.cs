namespace KvTiers.Tiers;

/// <summary>Counts the blocks of all promotions since the cache was opened.</summary>
/// <param name="FoundBlocks">Blocks that colder tiers had in an unbroken run after what was hot.</param>
/// <param name="PlannedBlocks">Those of them that were worth loading.</param>
/// <param name="LoadedBlocks">Those that arrived, whole ones and partial last ones.</param>
public readonly record struct PromotionTotals(long FoundBlocks, long PlannedBlocks, long LoadedBlocks);
