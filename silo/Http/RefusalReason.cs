namespace KvTiers.Silo.Http;

/// <summary>Why a request was refused with 429.</summary>
internal enum RefusalReason
{
    /// <summary>The server has as many answers in work as it takes, or the tenant its share of them.</summary>
    Share,

    /// <summary>The tenant, or the key, has as many answers in work as its own limit is.</summary>
    ConcurrentTurns,

    /// <summary>More requests a second than may be.</summary>
    Requests,

    /// <summary>More tokens a minute than may be.</summary>
    Tokens,
}
