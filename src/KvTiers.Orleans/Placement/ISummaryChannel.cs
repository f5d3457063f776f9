namespace KvTiers.Orleans.Placement;

/// <summary>How silos tell each other what they hold. A call that fails is made again with the next round: what was known stays known.</summary>
internal interface ISummaryChannel
{
    /// <summary>Tells what this silo holds; its blocks only when they are not those of the last call.</summary>
    /// <exception cref="IOException">It could not be told.</exception>
    Task PublishAsync(string silo, SiloReport report, BlockSummary? summary, TimeSpan timeToLive);

    /// <summary>The last reports, [silos]; null where there is none.</summary>
    /// <exception cref="IOException">They could not be read.</exception>
    Task<SiloReport?[]> ReadReportsAsync(IReadOnlyList<string> silos);

    /// <summary>A silo's blocks; null = there is nothing that can be read.</summary>
    /// <exception cref="IOException">They could not be read.</exception>
    Task<BlockSummary?> ReadSummaryAsync(string silo);
}
