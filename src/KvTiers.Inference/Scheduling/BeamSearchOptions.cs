namespace KvTiers.Inference.Scheduling;

/// <summary>Asks for the likeliest continuations as wholes, found by beam search, instead of a token by token choice.</summary>
/// <remarks>
/// Each step looks at the likeliest next tokens of every beam and keeps the <see cref="Width"/> best sequences. One that the model ends is set aside. The score
/// of a sequence is the sum of its log-probabilities ÷ (number of its generated tokens, an end token included) ^ <see cref="LengthPenalty"/>. The search ends
/// when no living beam can still come among the best that are asked for. Beams share every block but their last.
/// </remarks>
public sealed record BeamSearchOptions
{
    /// <summary>Most beams of one request.</summary>
    public const int MaxWidth = 64;

    /// <summary>Sequences kept at each step, 1 to <see cref="MaxWidth"/>, and at least as many as choices are asked for.</summary>
    public required int Width { get; init; }

    /// <summary>Above 0 favours long answers, below 0 short ones; −10 to 10, 0 = the sum alone decides. Default 1.</summary>
    public double LengthPenalty { get; init; } = 1;
}
