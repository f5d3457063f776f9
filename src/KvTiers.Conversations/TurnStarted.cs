namespace KvTiers.Conversations;

/// <summary>The prompt is known and compared with the log; nothing is computed yet.</summary>
public sealed record TurnStarted : TurnEvent
{
    /// <summary>The conversation's id.</summary>
    public required string Conversation { get; init; }

    /// <summary>Tokens of the whole prompt.</summary>
    public required int PromptTokens { get; init; }

    /// <summary>What the turn's history changed in the log; null = it only added to it.</summary>
    public EditReceipt? Edit { get; init; }

    /// <summary>What the turn leaves out of its prompt, because the context is full; null = nothing.</summary>
    public ContextCut? Cut { get; init; }

    /// <summary>Most tokens that the answer can have before the context ends, where that is fewer than were asked for; null = there is room for all of them.</summary>
    public int? AnswerRoom { get; init; }
}
