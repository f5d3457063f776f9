namespace KvTiers.Prefix;

/// <summary>What an erasure removed from the hot tier.</summary>
/// <param name="ErasedBlocks">Blocks freed.</param>
/// <param name="ErasedBytes">Their bytes.</param>
/// <param name="SharedBlocks">Blocks of the path that stay: a lease, a pin or another branch uses them.</param>
public readonly record struct EraseResult(int ErasedBlocks, long ErasedBytes, int SharedBlocks);
