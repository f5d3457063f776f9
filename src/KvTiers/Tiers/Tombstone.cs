using KvTiers.Prefix;

namespace KvTiers.Tiers;

/// <summary>Blocks that are still to be erased. Whoever must not forget an erasure writes this down before it, and takes it up again at the next start.</summary>
/// <param name="Blocks">The blocks.</param>
/// <param name="Tiers">The names of the tiers that have not said yet that they hold none of them.</param>
public sealed record Tombstone(IReadOnlyList<BlockHash> Blocks, IReadOnlyList<string> Tiers);
