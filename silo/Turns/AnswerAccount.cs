using System.Diagnostics;
using KvTiers.Conversations;
using KvTiers.Silo.Configuration;
using KvTiers.Silo.Operations.Metrics;

namespace KvTiers.Silo.Turns;

/// <summary>Counts each answer once, and says what the cache did for it and what it cost.</summary>
internal sealed class AnswerAccount(SiloOptions options, SiloMetrics metrics)
{
    /// <summary>The answer is complete.</summary>
    public KvTiersInfo Close(TurnUsage usage, string? conversation)
    {
        metrics.TurnAnswered(usage);
        Activity.Current?
            .SetTag("kvtiers.prompt_tokens", usage.PromptTokens)
            .SetTag("kvtiers.cached_tokens", usage.Cached.Total)
            .SetTag("kvtiers.completion_tokens", usage.CompletionTokens)
            .SetTag("kvtiers.ttft_ms", usage.TtftMs);
        return new KvTiersInfo
        {
            Conversation = conversation,
            Silo = options.Name,
            Cached = TierTokens.From(usage.Cached),
            Computed = usage.ComputedTokens,
            Invalidated = usage.InvalidatedTokens,
            LimitedBy = usage.LimitedBy,
            Cut = usage.Cut,
            TtftMs = usage.TtftMs,
            Cost = !options.Prices.AreSet ? null : TokenCost.Of(options.Prices, usage.ComputedTokens, usage.Cached.Total, usage.CompletionTokens),
        };
    }
}
