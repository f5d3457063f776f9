namespace KvTiers.Conversations;

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
}
