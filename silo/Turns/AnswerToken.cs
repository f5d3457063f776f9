using KvTiers.Conversations;

namespace KvTiers.Silo.Turns;

/// <summary>One token of an answer.</summary>
/// <param name="Choice">Which answer: n for the first prompt, n for the second, ….</param>
/// <param name="TokenId">Its id.</param>
/// <param name="Text">Text that is certain now; may be empty.</param>
/// <param name="LogProb">Its log probability; null = not asked for.</param>
internal sealed record AnswerToken(int Choice, int TokenId, string Text, TokenLogProbView? LogProb) : AnswerEvent
{
    /// <summary>Characters of the answer that became certain with it, those of calls included.</summary>
    public int CertainLength { get; init; } = Text.Length;
}
