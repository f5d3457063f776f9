using KvTiers.Inference.Scheduling;

namespace KvTiers.Sessions;

/// <summary>Prompt tokens found in the cache, by the tier that held them.</summary>
public sealed record CachedTokens
{
    /// <summary>In the block pool.</summary>
    public int Hot { get; init; }

    /// <summary>In the RAM tier.</summary>
    public int Ram { get; init; }

    /// <summary>In the disk tier.</summary>
    public int Disk { get; init; }

    /// <summary>In the Redis tier.</summary>
    public int Redis { get; init; }

    /// <summary>In all tiers together.</summary>
    public int Total => Hot + Ram + Disk + Redis;

    /// <summary>What the generations found, all together.</summary>
    public static CachedTokens Of(params IReadOnlyList<GenerationResult> results)
    {
        int From(string tier) => results.Sum(result => result.PromotedTokenCounts.GetValueOrDefault(tier));
        var cached = new CachedTokens { Ram = From("ram"), Disk = From("disk"), Redis = From("redis") };
        return cached with { Hot = results.Sum(result => result.CachedTokenCount) - cached.Total };
    }
}
