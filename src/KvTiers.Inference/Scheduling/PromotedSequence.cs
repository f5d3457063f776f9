using KvTiers.Tiers;

namespace KvTiers.Inference.Scheduling;

/// <summary>A sequence whose lease the colder tiers have filled as far as they could.</summary>
/// <param name="Sequence">The sequence.</param>
/// <param name="Result">What arrived; null when the promotion failed, which costs recomputation only.</param>
/// <param name="Error">Why it failed.</param>
internal readonly record struct PromotedSequence(Sequence Sequence, PromotionResult? Result, Exception? Error);
