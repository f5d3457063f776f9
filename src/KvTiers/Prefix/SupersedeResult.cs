namespace KvTiers.Prefix;

/// <summary>What an edit did to the blocks past its first changed token.</summary>
/// <param name="SupersededBlocks">Blocks that are now first in the eviction order.</param>
/// <param name="SharedBlocks">Blocks that stay as they were: a lease, a pin or another branch uses them.</param>
public readonly record struct SupersedeResult(int SupersededBlocks, int SharedBlocks);
