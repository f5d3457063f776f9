namespace KvTiers.Conversations;

/// <summary>Why the last turn found what it found in the cache, and what the rest cost.</summary>
public sealed record Explanation
{
    /// <summary>The conversation's id.</summary>
    public required string Conversation { get; init; }

    /// <summary>The version that the explained turn wrote.</summary>
    public required long Version { get; init; }

    /// <summary>The kind of miss, or that there was none.</summary>
    public required ExplanationReason Reason { get; init; }

    /// <summary>Tokens of the turn's prompt.</summary>
    public required int PromptTokens { get; init; }

    /// <summary>Tokens found in the cache.</summary>
    public required int CachedTokens { get; init; }

    /// <summary>Tokens computed.</summary>
    public required int ComputedTokens { get; init; }

    /// <summary>First message that differs from the former log; null = none does.</summary>
    public int? MessageIndex { get; init; }

    /// <summary>That message's role.</summary>
    public string? Role { get; init; }

    /// <summary>First token of the log that differs; null = none does.</summary>
    public int? TokenOffset { get; init; }

    /// <summary>First character of the message that differs; null = none does.</summary>
    public int? CharacterOffset { get; init; }

    /// <summary>The former text around the difference.</summary>
    public string? OldExcerpt { get; init; }

    /// <summary>The new text around the difference.</summary>
    public string? NewExcerpt { get; init; }

    /// <summary>Tokens that had been computed before and had to be computed again, or whose message was changed.</summary>
    public required int CostTokens { get; init; }

    /// <summary>What those tokens took, in seconds, at the turn's own rate.</summary>
    public required double CostSeconds { get; init; }

    /// <summary>All of it in one readable paragraph.</summary>
    public required string Text { get; init; }
}
