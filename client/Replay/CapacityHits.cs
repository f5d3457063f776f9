namespace KvTiers.Cli.Replay;

/// <summary>Blocks found in one cache, or in one tier of several.</summary>
/// <param name="Capacity">Blocks that it holds; <see langword="null"/> = unbounded.</param>
/// <param name="Hits">Blocks that were found.</param>
internal sealed record CapacityHits(int? Capacity, int Hits);
