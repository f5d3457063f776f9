namespace KvTiers.Conversations;

/// <summary>The turn is on the store.</summary>
public sealed record TurnCompleted : TurnEvent
{
    /// <summary>The conversation's id.</summary>
    public required string Conversation { get; init; }

    /// <summary>The conversation's version with this turn.</summary>
    public required long Version { get; init; }

    /// <summary>The answer.</summary>
    public required MessageView Message { get; init; }

    /// <summary><c>stop</c>, <c>length</c>, or <c>tool_calls</c> when the answer ended with calls.</summary>
    public required string FinishReason { get; init; }

    /// <summary>What the turn took.</summary>
    public required TurnUsage Usage { get; init; }
}
