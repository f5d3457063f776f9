using KvTiers.Conversations;
using KvTiers.Sessions.Log;

namespace KvTiers.Sessions.Changes;

/// <summary>What is remembered of the last turn, for <see cref="IConversations.ExplainAsync"/>.</summary>
public sealed record TurnTrace
{
    /// <summary>The version that the turn wrote.</summary>
    public required long Version { get; init; }

    /// <summary>Names the process that computed it: another one cannot have its hot blocks.</summary>
    public required string Host { get; init; }

    /// <summary>Why it computed what it computed.</summary>
    public required ExplanationReason Reason { get; init; }

    /// <summary>Tokens of the prompt.</summary>
    public required int PromptTokens { get; init; }

    /// <summary>Prompt tokens found in the cache.</summary>
    public required int CachedTokens { get; init; }

    /// <summary>Leading tokens of the log whose K and V the turn left in the cache.</summary>
    public required int LeftTokens { get; init; }

    /// <summary>From the turn's start to its first token, in milliseconds.</summary>
    public required double TtftMs { get; init; }

    /// <summary>Tokens that the change of an earlier message, an eviction or a restart made it compute again.</summary>
    public required int CostTokens { get; init; }

    /// <summary>Generated tokens; null = it was stored before they were kept.</summary>
    public int? CompletionTokens { get; init; }

    /// <summary>Why the answer ended; null = it was stored before that was kept.</summary>
    public string? FinishReason { get; init; }

    /// <summary>What ended an answer whose finish reason is <c>length</c>; null = it ended otherwise, or was stored before that was kept.</summary>
    public string? LimitedBy { get; init; }

    /// <summary>What it left out of its prompt, because the context was full; null = nothing.</summary>
    public ContextCut? Cut { get; init; }

    /// <summary>What the caller wanted to be kept with the turn; null = nothing.</summary>
    public string? Note { get; init; }

    /// <summary>The turn as callers see it.</summary>
    public TurnView ToView() => new()
    {
        Version = Version,
        PromptTokens = PromptTokens,
        CachedTokens = CachedTokens,
        CompletionTokens = CompletionTokens,
        FinishReason = FinishReason,
        LimitedBy = LimitedBy,
        Cut = Cut,
        Note = Note,
    };

    /// <summary>First difference to the log of the turn before; null = it was only extended.</summary>
    public LogDifference? Difference { get; init; }
}
