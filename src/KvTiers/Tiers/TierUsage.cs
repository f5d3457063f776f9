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
    IReadOnlyDictionary<TierMiss, long> Misses);
