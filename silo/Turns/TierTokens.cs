using KvTiers.Conversations;

namespace KvTiers.Silo.Turns;

/// <summary>Tokens found in the cache, by the tier that held them.</summary>
internal sealed record TierTokens(int Hot, int Ram, int Disk, int Redis)
{
    /// <summary>The same counts as a turn reports them.</summary>
    public static TierTokens From(CachedTokens cached) => new(cached.Hot, cached.Ram, cached.Disk, cached.Redis);
}
