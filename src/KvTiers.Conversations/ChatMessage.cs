namespace KvTiers.Conversations;

/// <summary>One message of a chat.</summary>
/// <param name="Role">Who speaks: <c>system</c>, <c>user</c>, <c>assistant</c>, <c>tool</c>, … Letters, digits, <c>_</c> and <c>-</c> only; the chat template checks it.</param>
/// <param name="Content">What is said. Any text; it can never become a special token. Empty when the message is calls alone.</param>
public sealed record ChatMessage(string Role, string Content)
{
    /// <summary>Tells speakers of one role apart; null = not given. The chat template decides whether the model sees it.</summary>
    public string? Name { get; init; }

    /// <summary>What an assistant thought before it answered; null = not given. The chat template decides whether the model sees it.</summary>
    public string? ReasoningContent { get; init; }

    /// <summary>The functions that an assistant calls, in order; null or empty = none.</summary>
    public IReadOnlyList<ToolCall>? ToolCalls { get; init; }

    /// <summary>The call that a message of the role <c>tool</c> is the result of; null = not given.</summary>
    public string? ToolCallId { get; init; }

    /// <summary>True: its turn stays in the prompt when the context is full. Of a message that the conversation has already, null leaves it as it was. The model does not see it.</summary>
    public bool? Pinned { get; init; }
}
