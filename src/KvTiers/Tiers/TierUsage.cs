namespace KvTiers.Tiers;

/// <summary>A tier's contents and the outcome of all calls since it was opened.</summary>
/// <param name="Name">The tier.</param>
/// <param name="CapacityBytes">Room.</param>
/// <param name="UsedBytes">Taken.</param>
/// <param name="BytesPerBlock">What one block takes up.</param>
/// <param name="Blocks">Blocks held.</param>
/// <param name="Hits">Reads that gave a block.</param>
/// <param name="Writes">Blocks stored.</param>
/// <param name="Refusals">Blocks not taken for want of room.</param>
/// <param name="Misses">What failed, by kind.</param>
public sealed record TierUsage(
    string Name,
    long CapacityBytes,
    long UsedBytes,
    long BytesPerBlock,
    long Blocks,
    long Hits,
    long Writes,
    long Refusals,
    IReadOnlyDictionary<TierMiss, long> Misses)
{
    /// <summary>Blocks forgotten to make room.</summary>
    public long EvictedBlocks { get; init; }

    /// <summary>Bytes of blocks read, as stored.</summary>
    public long ReadBytes { get; init; }

    /// <summary>Bytes of blocks written, as stored; one that was there already adds none.</summary>
    public long WrittenBytes { get; init; }

    /// <summary>Whether the tier is left alone for now, because it failed too often.</summary>
    public bool IsDegraded { get; init; }

    /// <summary>Blocks that wait to be written or are being written.</summary>
    public int QueuedBlocks { get; init; }

    /// <summary>Blocks given up because the queue to the tier stayed full.</summary>
    public long DroppedBlocks { get; init; }

    /// <summary>Tokens whose blocks were loaded from the tier into the hot one.</summary>
    public long PromotedTokens { get; init; }
}
