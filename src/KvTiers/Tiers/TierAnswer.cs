namespace KvTiers.Tiers;

/// <summary>What a store said to a call that counts something.</summary>
/// <param name="Count">What it counted; 0 when it failed.</param>
/// <param name="Fault">Why it failed; null when it did not.</param>
internal readonly record struct TierAnswer(long Count, TierMiss? Fault);
