namespace KvTiers.Conversations;

/// <summary>Replaces the text of one message.</summary>
public sealed record EditRequest
{
    /// <summary>The message's index, from 0.</summary>
    public required int Index { get; init; }

    /// <summary>Its new text.</summary>
    public required string Content { get; init; }

    /// <summary>Whether the messages after it go too, as when a chat is continued from an edited question.</summary>
    public bool DropLater { get; init; }

    /// <summary>The version that the caller has seen; another one is a <see cref="ConversationConflictException"/>. Null = any.</summary>
    public long? ExpectedVersion { get; init; }
}
