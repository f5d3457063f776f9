namespace KvTiers;

/// <summary>The state of the hot tier at one moment. CapacityBlocks = FreeBlocks + PrivateBlocks + HeldBlocks + EvictableBlocks + PendingFreeBlocks.</summary>
public sealed record CacheSnapshot
{
    /// <summary>Blocks in service.</summary>
    public required int CapacityBlocks { get; init; }

    /// <summary>Bytes of one block.</summary>
    public required int BytesPerBlock { get; init; }

    /// <summary>Blocks in the free queue.</summary>
    public required int FreeBlocks { get; init; }

    /// <summary>Blocks that a lease is writing or has reserved.</summary>
    public required int PrivateBlocks { get; init; }

    /// <summary>Matchable blocks that a lease or a pin holds.</summary>
    public required int HeldBlocks { get; init; }

    /// <summary>Matchable blocks that nobody holds.</summary>
    public required int EvictableBlocks { get; init; }

    /// <summary>Blocks that nobody finds any more and that are not free yet: the recipient is being shown them, or a late read may still write to them.</summary>
    public required int PendingFreeBlocks { get; init; }

    /// <summary>Matchable blocks with the superseded mark; those that serve as the source of a copy are held for that moment.</summary>
    public required int SupersededBlocks { get; init; }

    /// <summary>Live leases.</summary>
    public required int Leases { get; init; }

    /// <summary>Active pins.</summary>
    public required int Pins { get; init; }

    /// <summary>Namespaces with at least one block or lease.</summary>
    public required int Roots { get; init; }

    /// <summary>Nodes of the radix tree.</summary>
    public required int Nodes { get; init; }

    /// <summary>What the cache has done since it was made.</summary>
    public required CacheTotals Totals { get; init; }
}
