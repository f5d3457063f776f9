namespace KvTiers.Conversations;

/// <summary>One turn: messages in, an answer out.</summary>
public sealed record TurnRequest
{
    /// <summary>Whether <see cref="Messages"/> are new or the whole history.</summary>
    public TurnMode Mode { get; init; }

    /// <summary>The messages, at least one.</summary>
    public required IReadOnlyList<ChatMessage> Messages { get; init; }

    /// <summary>How to generate.</summary>
    public GenerationOptions Options { get; init; } = new();

    /// <summary>
    /// Keeps the blocks of a conversation that this turn begins apart from the tenant's others: blocks of two salts are never found for one another. In later
    /// turns null, or the same. Null in the first = none.
    /// </summary>
    public string? CacheSalt { get; init; }

    /// <summary>The version that the caller has seen; another one is a <see cref="ConversationConflictException"/>. 0 = there is none yet. Null = any.</summary>
    public long? ExpectedVersion { get; init; }

    /// <summary>What is done when the conversation outgrows the model's context, from this turn on; null = as it was.</summary>
    public ContextPolicy? ContextPolicy { get; init; }

    /// <summary>Whether this turn may leave messages out of its prompt; null = as the conversation's policy says.</summary>
    public Truncation? Truncation { get; init; }

    /// <summary>Most characters of a <see cref="Note"/>.</summary>
    public const int MaxNoteLength = 65_536;

    /// <summary>A text of the caller's that is stored with the turn and given back as long as it is the last one (<see cref="TurnView.Note"/>); at most <see cref="MaxNoteLength"/> characters. Null = none.</summary>
    public string? Note { get; init; }
}
