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
}
