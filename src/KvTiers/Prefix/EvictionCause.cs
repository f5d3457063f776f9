namespace KvTiers.Prefix;

/// <summary>Why a block was the first to go.</summary>
internal enum EvictionCause
{
    /// <summary>An edit cut it from its conversation.</summary>
    Superseded = 0,

    /// <summary>It outlived its time to live without being used.</summary>
    Expired = 1,

    /// <summary>It was used longest ago among those of the lowest priority.</summary>
    LeastRecentlyUsed = 2,
}
