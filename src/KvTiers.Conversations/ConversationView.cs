namespace KvTiers.Conversations;

/// <summary>A conversation as it stands at one version.</summary>
public sealed record ConversationView
{
    /// <summary>Id within the tenant.</summary>
    public required string Id { get; init; }

    /// <summary>Rises by one with every stored change.</summary>
    public required long Version { get; init; }

    /// <summary>Name of the model that answers.</summary>
    public required string Model { get; init; }

    /// <summary>The messages in order.</summary>
    public required IReadOnlyList<MessageView> Messages { get; init; }

    /// <summary>Tokens in the log: the spans of the messages that prompts have, without the prompt for the next answer.</summary>
    public required int TokenCount { get; init; }

    /// <summary>When it was created.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>When it last changed.</summary>
    public required DateTimeOffset UpdatedAt { get; init; }

    /// <summary>Until when its blocks are barred from eviction; <see cref="DateTimeOffset.MaxValue"/> = without end; null = not pinned.</summary>
    public DateTimeOffset? PinnedUntil { get; init; }

    /// <summary>Id of the conversation it was forked from; null = it was not.</summary>
    public string? ForkedFrom { get; init; }

    /// <summary>The last turn; null = there was none. Edits and undone changes after it leave it as it was.</summary>
    public TurnView? LastTurn { get; init; }

    /// <summary>How many changes can be undone now.</summary>
    public required int UndoDepth { get; init; }

    /// <summary>What is done when it outgrows the model's context; null = the host's default.</summary>
    public ContextPolicy? ContextPolicy { get; init; }

    /// <summary>What its prompts have no longer; null = they have all messages.</summary>
    public ContextView? Context { get; init; }
}
