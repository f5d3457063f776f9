namespace KvTiers.Sessions.Access;

/// <summary>What one tenant may take up. Null = no limit of its own.</summary>
public sealed record TenantLimits
{
    /// <summary>Share of places and steps beside a tenant of weight 1, from 0.01 to 1,000; null = 1.</summary>
    public double? Weight { get; init; }

    /// <summary>Requests a second, from 0.001 to 1,000,000; as many as come in one second, at least one, may come at once.</summary>
    public double? RequestsPerSecond { get; init; }

    /// <summary>Tokens a minute that are computed, of prompts and of answers; from 1. What is found in the cache does not count.</summary>
    public long? TokensPerMinute { get; init; }

    /// <summary>Answers computed or waiting at one time, from 1: a request counts as many as it has prompts times choices.</summary>
    public int? ConcurrentTurns { get; init; }

    /// <summary>Stored conversations, from 0.</summary>
    public int? Conversations { get; init; }

    /// <summary>Bytes that the tenant's blocks may take over all tiers together, at least 1 MiB; null = the server's own bound for every tenant.</summary>
    public long? TierBytes { get; init; }

    /// <summary>These, and what they leave open as <paramref name="others"/> say.</summary>
    public TenantLimits Or(TenantLimits others)
    {
        ArgumentNullException.ThrowIfNull(others);
        return new()
        {
            Weight = Weight ?? others.Weight,
            RequestsPerSecond = RequestsPerSecond ?? others.RequestsPerSecond,
            TokensPerMinute = TokensPerMinute ?? others.TokensPerMinute,
            ConcurrentTurns = ConcurrentTurns ?? others.ConcurrentTurns,
            Conversations = Conversations ?? others.Conversations,
            TierBytes = TierBytes ?? others.TierBytes,
        };
    }

    /// <summary>The rules that are broken: property in the file's spelling, value and rule.</summary>
    internal IEnumerable<string> Faults(string at)
    {
        if (Weight is { } weight and not (>= 0.01 and <= 1000))
            yield return $"{at}.weight is {weight}; it must be from 0.01 to 1000.";
        if (RequestsPerSecond is { } rate and not (>= 0.001 and <= 1_000_000))
            yield return $"{at}.requests_per_second is {rate}; it must be from 0.001 to 1000000.";
        if (TokensPerMinute is < 1)
            yield return $"{at}.tokens_per_minute is {TokensPerMinute}; it must be 1 or more.";
        if (ConcurrentTurns is < 1)
            yield return $"{at}.concurrent_turns is {ConcurrentTurns}; it must be 1 or more.";
        if (Conversations is < 0)
            yield return $"{at}.conversations is {Conversations}; it must be 0 or more.";
        if (TierBytes is < 1 << 20)
            yield return $"{at}.tier_bytes is {TierBytes}; it must be 1048576 or more.";
    }
}
