namespace KvTiers.Conversations;

/// <summary>One line of a conversation list.</summary>
public sealed record ConversationSummary
{
    /// <summary>Id within the tenant.</summary>
    public required string Id { get; init; }

    /// <summary>Newest stored version; 0 when the conversation is damaged.</summary>
    public required long Version { get; init; }

    /// <summary>The beginning of the first user message, at most 80 characters; empty when there is none.</summary>
    public required string Title { get; init; }

    /// <summary>How many messages it has.</summary>
    public required int MessageCount { get; init; }

    /// <summary>Tokens in its log.</summary>
    public required int TokenCount { get; init; }

    /// <summary>When it was created.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>When it last changed.</summary>
    public required DateTimeOffset UpdatedAt { get; init; }

    /// <summary>Whether this host has it in memory now.</summary>
    public bool Active { get; init; }

    /// <summary>Why the stored conversation cannot be read; null = it can.</summary>
    public string? Damage { get; init; }
}
