namespace KvTiers.Bench.Serving;

/// <summary>Where a prompt's prefix is when it is asked for.</summary>
internal enum PrefixPlace
{
    /// <summary>Nowhere, and the cache is not used: the baseline.</summary>
    Off,

    /// <summary>Nowhere.</summary>
    Cold,

    /// <summary>In the hot tier.</summary>
    Hot,

    /// <summary>In the RAM tier only.</summary>
    Ram,

    /// <summary>In the disk tier only.</summary>
    Disk,

    /// <summary>In the Redis tier only.</summary>
    Redis,
}
