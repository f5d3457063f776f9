using KvTiers.Conversations;
using KvTiers.Inference.Scheduling;

namespace KvTiers.Sessions.Turns;

/// <summary>Counts what generations found in the cache.</summary>
public static class CachedTokenCounts
{
    /// <summary>All together, by tier.</summary>
    public static CachedTokens Of(params IReadOnlyList<GenerationResult> results)
    {
        int From(string tier) => results.Sum(result => result.PromotedTokenCounts.GetValueOrDefault(tier));
        var cached = new CachedTokens { Ram = From("ram"), Disk = From("disk"), Redis = From("redis") };
        return cached with { Hot = results.Sum(result => result.CachedTokenCount) - cached.Total };
    }
}
