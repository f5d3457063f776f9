namespace KvTiers.Sessions.Turns;

/// <summary>How much a context takes, and how far a prompt is cut when it takes no more.</summary>
/// <param name="ContextTokens">Tokens that prompt and answer may have together.</param>
/// <param name="AnswerTokens">Most tokens that the answer was asked to have.</param>
/// <param name="Keep">Share of the room for prompts that a cut leaves filled, above 0, below 1.</param>
public sealed record ContextRoom(int ContextTokens, int AnswerTokens, double Keep)
{
    /// <summary>Tokens held free for the answer: as many as were asked for, at most half of the context.</summary>
    public int AnswerReserve { get; } = Math.Min(AnswerTokens, ContextTokens / 2);

    /// <summary>Most tokens of a prompt that leaves the reserve free.</summary>
    public int MaxPromptTokens => ContextTokens - AnswerReserve;

    /// <summary>Most tokens of a prompt that was cut, where messages that may go are enough for that.</summary>
    public int CutPromptTokens => (int)(MaxPromptTokens * Keep);
}
