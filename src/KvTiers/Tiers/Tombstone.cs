using KvTiers.Prefix;

namespace KvTiers.Tiers;

/// <summary>What is still to be erased: written down by whoever must not forget it before anything is erased, and taken up again at the next start.</summary>
/// <param name="Blocks">The blocks.</param>
/// <param name="Tiers">The names of the tiers that have not said yet that they hold none of them.</param>
public sealed record Tombstone(IReadOnlyList<BlockHash> Blocks, IReadOnlyList<string> Tiers);
