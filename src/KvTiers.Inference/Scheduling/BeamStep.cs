namespace KvTiers.Inference.Scheduling;

/// <summary>A beam's next token.</summary>
/// <param name="Beam">The beam it continues.</param>
/// <param name="Token">The token.</param>
/// <param name="LogProb">Sum of the log-probabilities of all generated tokens, this one included.</param>
internal readonly record struct BeamStep(Sequence Beam, int Token, double LogProb);
