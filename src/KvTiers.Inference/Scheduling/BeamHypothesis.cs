namespace KvTiers.Inference.Scheduling;

/// <summary>A sequence that a beam search has set aside.</summary>
/// <param name="Tokens">What was generated, an end token included.</param>
/// <param name="Score">Its score; higher is better.</param>
/// <param name="FinishReason">Why it ended.</param>
internal sealed record BeamHypothesis(int[] Tokens, double Score, FinishReason FinishReason);
