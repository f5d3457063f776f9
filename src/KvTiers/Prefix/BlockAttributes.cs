namespace KvTiers.Prefix;

/// <summary>Tells a colder tier what it cannot read off a block's bytes: how long to keep the block, and which blocks to keep before others.</summary>
public readonly record struct BlockAttributes
{
    /// <summary>The highest <see cref="Priority"/>.</summary>
    public const int MaxPriority = 15;

    /// <summary>Tokens in the block: the block size, or fewer for a conversation's last, partial block.</summary>
    public required int TokenCount { get; init; }

    /// <summary>0 to <see cref="MaxPriority"/>; of two blocks equally out of date, the one with the lower priority is evicted first.</summary>
    public int Priority { get; init; }

    /// <summary>When the block may be forgotten before all that have not expired; null for never.</summary>
    public DateTimeOffset? Expires { get; init; }

    /// <summary>The tenant whose budget it counts against: a number above 0 that follows from the namespace's root, the same on every machine; 0 when unknown.</summary>
    public int Tenant { get; init; }

    // Colder tiers know fewer ranks than the hot one.
    internal static BlockAttributes Of(int tokenCount, int priority, DateTimeOffset? expires, int tenant) =>
        new() { TokenCount = tokenCount, Priority = Math.Clamp(priority, 0, MaxPriority), Expires = expires, Tenant = tenant };
}
