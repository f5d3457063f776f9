namespace KvTiers.Conversations;

/// <summary>One message of a conversation with the tokens that it covers in the log.</summary>
public sealed record MessageView
{
    /// <summary>Position in the conversation, from 0.</summary>
    public required int Index { get; init; }

    /// <summary>Who speaks: <c>system</c>, <c>user</c>, <c>assistant</c>, …</summary>
    public required string Role { get; init; }

    /// <summary>What is said.</summary>
    public required string Content { get; init; }

    /// <summary>First token of the message's span in the token log, the template's framing included.</summary>
    public required int TokenStart { get; init; }

    /// <summary>Tokens in the span.</summary>
    public required int TokenCount { get; init; }
}
