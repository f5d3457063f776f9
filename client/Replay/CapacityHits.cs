namespace KvTiers.Cli.Replay;

/// <summary>Blocks found with one capacity.</summary>
/// <param name="Capacity">Blocks of the cache; <see langword="null"/> = unbounded.</param>
/// <param name="Hits">Blocks that were found.</param>
internal sealed record CapacityHits(int? Capacity, int Hits);
