namespace KvTiers.Inference.Scheduling;

/// <summary>What a sampled token did to its sequence.</summary>
/// <param name="Text">Text that became certain.</param>
/// <param name="FinishReason">Why the sequence ends with it; null when it goes on.</param>
internal readonly record struct AcceptedToken(string Text, FinishReason? FinishReason);
