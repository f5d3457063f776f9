namespace KvTiers.Prefix;

/// <summary>A block that has left the tree and whose slot is the taker's to free.</summary>
internal readonly record struct EvictedBlock(BlockHash Hash, int TokenCount, int Priority, DateTimeOffset? Expires, int Tenant, int Slot, EvictionCause Cause);
