namespace KvTiers.Conversations;

/// <summary>What warming a conversation did.</summary>
public sealed record WarmReceipt
{
    /// <summary>The conversation's id.</summary>
    public required string Conversation { get; init; }

    /// <summary>Tokens in its log.</summary>
    public required int Tokens { get; init; }

    /// <summary>Tokens that were hot already, or were loaded.</summary>
    public required int CachedTokens { get; init; }

    /// <summary>Those of them that were loaded from a colder tier.</summary>
    public int LoadedTokens { get; init; }

    /// <summary>Tokens that were computed.</summary>
    public required int ComputedTokens { get; init; }

    /// <summary>What it took, in milliseconds.</summary>
    public required double TotalMs { get; init; }
}
