namespace KvTiers.Silo.Operations;

/// <summary>The hot tier at one moment. Capacity = free + written + held + evictable.</summary>
internal sealed record HotTierStatus
{
    /// <summary>The tier's name.</summary>
    public string Tier => "hot";

    /// <summary>Bytes that its blocks in service take.</summary>
    public required long CapacityBytes { get; init; }

    /// <summary>Bytes of one block.</summary>
    public required int BlockBytes { get; init; }

    /// <summary>Token positions in one block.</summary>
    public required int BlockTokens { get; init; }

    /// <summary>Blocks in service.</summary>
    public required int CapacityBlocks { get; init; }

    /// <summary>Blocks that hold nothing.</summary>
    public required int FreeBlocks { get; init; }

    /// <summary>Blocks that running turns write or have reserved.</summary>
    public required int PrivateBlocks { get; init; }

    /// <summary>Matchable blocks that a conversation, a running turn or a pin holds.</summary>
    public required int HeldBlocks { get; init; }

    /// <summary>Matchable blocks that can go when room is needed.</summary>
    public required int EvictableBlocks { get; init; }

    /// <summary>Matchable blocks that an edit cut off: the first to go.</summary>
    public required int SupersededBlocks { get; init; }

    /// <summary>Tokens found since the start.</summary>
    public required long HitTokens { get; init; }

    /// <summary>Tokens looked for and not found since the start.</summary>
    public required long MissedTokens { get; init; }

    /// <summary>Blocks evicted since the start.</summary>
    public required long EvictedBlocks { get; init; }

    /// <summary>The state of a cache's hot tier.</summary>
    public static HotTierStatus Of(KvCache cache)
    {
        CacheSnapshot snapshot = cache.Snapshot();
        return new HotTierStatus
        {
            CapacityBytes = (long)snapshot.CapacityBlocks * snapshot.BytesPerBlock,
            BlockBytes = snapshot.BytesPerBlock,
            BlockTokens = cache.Shape.BlockSize,
            CapacityBlocks = snapshot.CapacityBlocks,
            FreeBlocks = snapshot.FreeBlocks,
            PrivateBlocks = snapshot.PrivateBlocks,
            HeldBlocks = snapshot.HeldBlocks,
            EvictableBlocks = snapshot.EvictableBlocks,
            SupersededBlocks = snapshot.SupersededBlocks,
            HitTokens = snapshot.Totals.HitTokens,
            MissedTokens = snapshot.Totals.MissedTokens,
            EvictedBlocks = snapshot.Totals.EvictedBlocks,
        };
    }
}
