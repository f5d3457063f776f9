namespace KvTiers.Inference.Scheduling;

/// <summary>The next tokens of one sequence that the coming step computes.</summary>
/// <param name="Sequence">Whose.</param>
/// <param name="TokenCount">How many, from its first uncomputed one on. Its lease has room for them.</param>
internal readonly record struct ScheduledChunk(Sequence Sequence, int TokenCount);
