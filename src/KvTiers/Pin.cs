using KvTiers.Prefix;

namespace KvTiers;

/// <summary>Bars the blocks of a path from eviction until disposed or expired.</summary>
public sealed class Pin : IDisposable
{
    private readonly KvCache _cache;

    internal Pin(KvCache cache, RadixNode node, int tokenCount, DateTimeOffset? until)
    {
        _cache = cache;
        Node = node;
        TokenCount = tokenCount;
        Until = until;
    }

    /// <summary>Leading tokens of the path that were hot, in whole or published blocks, and are pinned.</summary>
    public int TokenCount { get; }

    /// <summary>When the pin lapses by itself; null for never.</summary>
    public DateTimeOffset? Until { get; internal set; }

    /// <summary>Whether the pin still holds. An expired one lapses when the cache next looks for room or is asked for its state.</summary>
    public bool IsActive { get; internal set; } = true;

    internal RadixNode Node { get; }

    /// <summary>Lets the pin lapse at another time, earlier or later.</summary>
    /// <param name="until">When it lapses by itself; null for never.</param>
    /// <returns>False when it is disposed or has lapsed already: its blocks may be gone.</returns>
    public bool TryRenew(DateTimeOffset? until) => _cache.TryRenew(this, until);

    /// <summary>Ends the pin.</summary>
    public void Dispose() => _cache.Unpin(this);
}
