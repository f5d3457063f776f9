namespace KvTiers.Conversations;

/// <summary>What a conversation's prompts have no longer.</summary>
public sealed record ContextView
{
    /// <summary>Messages that prompts leave out; they are those with <see cref="MessageView.DroppedAt"/>.</summary>
    public required int DroppedMessages { get; init; }

    /// <summary>Their tokens.</summary>
    public required int DroppedTokens { get; init; }

    /// <summary>The model's summary that stands in their place; null = none does.</summary>
    public string? Summary { get; init; }
}
