using KvTiers.Conversations;

namespace KvTiers.Silo.Turns;

/// <summary>What the cache did for a call.</summary>
internal sealed record KvTiersInfo
{
    /// <summary>The conversation that the call went through; null = none.</summary>
    public string? Conversation { get; init; }

    /// <summary>Name of the silo that answered.</summary>
    public required string Silo { get; init; }

    /// <summary>Prompt tokens found in the cache, by tier.</summary>
    public required TierTokens Cached { get; init; }

    /// <summary>Prompt tokens computed.</summary>
    public required int Computed { get; init; }

    /// <summary>Tokens of the conversation's former log that the call cut off.</summary>
    public required int Invalidated { get; init; }

    /// <summary>What ended an answer of the finish reason <c>length</c>: <c>max_tokens</c> or <c>context</c>; null = it ended otherwise.</summary>
    public string? LimitedBy { get; init; }

    /// <summary>What was left out of the prompt, because the context was full; null = nothing.</summary>
    public ContextCut? Cut { get; init; }

    /// <summary>From reading the request to the first token, in milliseconds.</summary>
    public required double TtftMs { get; init; }

    /// <summary>What the tokens cost at the configured prices; null = no price is set.</summary>
    public TokenCost? Cost { get; init; }
}
