using KvTiers.Inference.Model;

namespace KvTiers.Inference.Scheduling;

/// <summary>One finished continuation.</summary>
/// <param name="TokenIds">Every sampled token, the end token included.</param>
/// <param name="Text">Their text, special tokens left out, cut before a stop string, or behind it.</param>
/// <param name="FinishReason">Why it ended.</param>
/// <param name="StopString">The stop string that ended it, or null.</param>
/// <param name="LogProbs">One per token when asked for, else null.</param>
public sealed record ChoiceResult(
    IReadOnlyList<int> TokenIds,
    string Text,
    FinishReason FinishReason,
    string? StopString,
    IReadOnlyList<TokenLogProb>? LogProbs)
{
    /// <summary>The stop token that ended it, which is the last of <see cref="TokenIds"/>; null when none of the request's did.</summary>
    public int? StopTokenId { get; init; }
}
