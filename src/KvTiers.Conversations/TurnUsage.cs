namespace KvTiers.Conversations;

/// <summary>What a turn took.</summary>
public sealed record TurnUsage
{
    /// <summary>Tokens of the whole prompt.</summary>
    public required int PromptTokens { get; init; }

    /// <summary>Generated tokens.</summary>
    public required int CompletionTokens { get; init; }

    /// <summary>Prompt tokens whose K and V were found, by tier.</summary>
    public required CachedTokens Cached { get; init; }

    /// <summary>Prompt tokens whose K and V were computed.</summary>
    public required int ComputedTokens { get; init; }

    /// <summary>Tokens of the former log that this turn cut off.</summary>
    public required int InvalidatedTokens { get; init; }

    /// <summary>From the turn's start to its first token, in milliseconds.</summary>
    public required double TtftMs { get; init; }

    /// <summary>From the turn's start to its last token, in milliseconds.</summary>
    public required double TotalMs { get; init; }

    /// <summary>What ended an answer whose finish reason is <c>length</c>: <c>max_tokens</c>, or <c>context</c> when the context ended first. Null = it ended otherwise.</summary>
    public string? LimitedBy { get; init; }

    /// <summary>What was left out of the prompt, because the context was full, and what its summary took; null = nothing.</summary>
    public ContextCut? Cut { get; init; }
}
