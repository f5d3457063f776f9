namespace KvTiers.Inference.Scheduling;

/// <summary>What the engine does now and has done since it started.</summary>
/// <param name="Waiting">Sequences that wait to be started or resumed.</param>
/// <param name="Running">Sequences in work.</param>
/// <param name="Steps">Forward passes.</param>
/// <param name="ComputedTokens">Prompt tokens computed.</param>
/// <param name="CachedTokens">Prompt tokens found in the cache.</param>
/// <param name="RecomputedTokens">Tokens computed a second time, after a preemption whose blocks were evicted.</param>
/// <param name="GeneratedTokens">Tokens sampled.</param>
/// <param name="Preemptions">Sequences put back because blocks ran out.</param>
public sealed record EngineSnapshot(
    int Waiting,
    int Running,
    long Steps,
    long ComputedTokens,
    long CachedTokens,
    long RecomputedTokens,
    long GeneratedTokens,
    long Preemptions);
