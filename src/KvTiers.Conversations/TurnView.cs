namespace KvTiers.Conversations;

/// <summary>What is stored of a conversation's last turn.</summary>
public sealed record TurnView
{
    /// <summary>The version that it made.</summary>
    public required long Version { get; init; }

    /// <summary>Tokens of its prompt.</summary>
    public required int PromptTokens { get; init; }

    /// <summary>Prompt tokens found in the cache.</summary>
    public required int CachedTokens { get; init; }

    /// <summary>Generated tokens; null = it was stored before they were kept.</summary>
    public int? CompletionTokens { get; init; }

    /// <summary><c>stop</c> or <c>length</c>; null = it was stored before that was kept.</summary>
    public string? FinishReason { get; init; }

    /// <summary>What ended an answer whose finish reason is <c>length</c>: <c>max_tokens</c> or <c>context</c>; null = it ended otherwise, or was stored before that was kept.</summary>
    public string? LimitedBy { get; init; }

    /// <summary>What it left out of its prompt, because the context was full; null = nothing.</summary>
    public ContextCut? Cut { get; init; }

    /// <summary>What the caller wanted to be kept with it (<see cref="TurnRequest.Note"/>); null = nothing.</summary>
    public string? Note { get; init; }
}
