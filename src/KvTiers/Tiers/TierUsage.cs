namespace KvTiers.Tiers;

/// <summary>A tier's contents and the outcome of all calls since it was opened.</summary>
/// <param name="Name">The tier.</param>
/// <param name="CapacityBytes">Room.</param>
/// <param name="UsedBytes">Taken.</param>
/// <param name="BytesPerBlock">What one block takes up.</param>
/// <param name="Blocks">Blocks held.</param>
public sealed record TierUsage(string Name, long CapacityBytes, long UsedBytes, long BytesPerBlock, long Blocks)
{
    /// <summary>Reads that gave a block.</summary>
    public long Hits { get; init; }

    /// <summary>Blocks stored.</summary>
    public long Writes { get; init; }

    /// <summary>Blocks not taken for want of room.</summary>
    public long Refusals { get; init; }

    /// <summary>What failed, by kind.</summary>
    public IReadOnlyDictionary<TierMiss, long> Misses { get; init; } = new Dictionary<TierMiss, long>();

    /// <summary>Blocks forgotten to make room.</summary>
    public long EvictedBlocks { get; init; }

    /// <summary>Bytes of blocks read, as stored.</summary>
    public long ReadBytes { get; init; }

    /// <summary>Bytes of blocks written, as stored; one that was there already adds none.</summary>
    public long WrittenBytes { get; init; }

    /// <summary>Whether the tier is left alone for now, because it failed too often or does not keep pace.</summary>
    public bool IsDegraded { get; init; }

    /// <summary>What an operator should know of the tier though it works, in a sentence without its first capital; null = nothing.</summary>
    public string? Trouble { get; init; }

    /// <summary>Blocks that wait to be written or are being written.</summary>
    public int QueuedBlocks { get; init; }

    /// <summary>Blocks that the tier was not given, because it did not keep pace.</summary>
    public long DroppedBlocks { get; init; }

    /// <summary>Tokens whose blocks were loaded from the tier into the hot one.</summary>
    public long PromotedTokens { get; init; }
}
