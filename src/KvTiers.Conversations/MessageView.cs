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

    /// <summary>Tells speakers of one role apart; null = not given.</summary>
    public string? Name { get; init; }

    /// <summary>What an assistant thought before it answered; null = not given.</summary>
    public string? ReasoningContent { get; init; }

    /// <summary>The functions that an assistant calls, in order; null = none.</summary>
    public IReadOnlyList<ToolCall>? ToolCalls { get; init; }

    /// <summary>The call that the message is the result of; null = it is none.</summary>
    public string? ToolCallId { get; init; }

    /// <summary>True: its turn stays in the prompt when the context is full; null = it may be left out.</summary>
    public bool? Pinned { get; init; }

    /// <summary>Version of the turn that left it out of the prompt, because the context was full; null = the prompt has it.</summary>
    public long? DroppedAt { get; init; }

    /// <summary>First token of the message's span in the token log, the template's framing included; of a message that was left out, where it would stand.</summary>
    public required int TokenStart { get; init; }

    /// <summary>Tokens in the span.</summary>
    public required int TokenCount { get; init; }
}
