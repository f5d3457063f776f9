namespace KvTiers.Samples.TorchGenerate;

/// <summary>What was generated, and what it took.</summary>
/// <param name="Tokens">The new tokens.</param>
/// <param name="ComputedTokens">Tokens that went through the model, all steps together.</param>
/// <param name="Prefill">Time to the first new token.</param>
/// <param name="Step">Time of a step after that: the median.</param>
/// <param name="Total">Time to the last.</param>
public sealed record GenerateResult(int[] Tokens, int ComputedTokens, TimeSpan Prefill, TimeSpan Step, TimeSpan Total);
