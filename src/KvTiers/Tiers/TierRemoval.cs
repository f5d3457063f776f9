namespace KvTiers.Tiers;

/// <summary>Blocks that left one tier, or were left to expire there.</summary>
/// <param name="Tier">The tier's name.</param>
/// <param name="Blocks">How many.</param>
/// <param name="Bytes">What they took up.</param>
public readonly record struct TierRemoval(string Tier, int Blocks, long Bytes);
