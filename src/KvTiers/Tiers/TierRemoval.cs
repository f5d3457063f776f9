namespace KvTiers.Tiers;

/// <summary>Blocks that left one tier, or were left to expire there.</summary>
/// <param name="Tier">The tier's name.</param>
/// <param name="Blocks">How many. Of a tier that failed on the way, those that it told of.</param>
/// <param name="Bytes">What they took up.</param>
/// <param name="State">Whether that is all of them.</param>
public readonly record struct TierRemoval(string Tier, int Blocks, long Bytes, ErasureState State);
