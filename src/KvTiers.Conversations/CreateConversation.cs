namespace KvTiers.Conversations;

/// <summary>What a new conversation starts with.</summary>
public sealed record CreateConversation
{
    /// <summary>The wanted id; null = one is made. See <see cref="ConversationKey"/> for what it may hold.</summary>
    public string? Id { get; init; }

    /// <summary>First messages, for instance the system prompt; null or empty = none. Nothing is generated.</summary>
    public IReadOnlyList<ChatMessage>? Messages { get; init; }

    /// <summary>What is done when it outgrows the model's context; null = the host's default.</summary>
    public ContextPolicy? ContextPolicy { get; init; }
}
