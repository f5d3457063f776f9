namespace KvTiers.Sessions.Turns;

/// <summary>How a turn ended, as it is stored.</summary>
internal sealed record TurnEnd
{
    /// <summary>From the turn's start to its first token, in milliseconds.</summary>
    public required double TtftMs { get; init; }

    /// <summary><c>stop</c>, <c>length</c> or <c>tool_calls</c>.</summary>
    public required string FinishReason { get; init; }

    /// <summary>What ended an answer whose finish reason is <c>length</c>: <c>max_tokens</c> or <c>context</c>; null = it ended otherwise.</summary>
    public required string? LimitedBy { get; init; }

    /// <summary>What the caller wanted to be kept with the turn; null = nothing.</summary>
    public required string? Note { get; init; }
}
