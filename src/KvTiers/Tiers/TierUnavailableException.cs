namespace KvTiers.Tiers;

/// <summary>The store was not asked, because it failed too often just now.</summary>
public sealed class TierUnavailableException(string message) : IOException(message);
