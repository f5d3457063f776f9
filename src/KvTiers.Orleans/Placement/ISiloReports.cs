using Orleans.Services;

namespace KvTiers.Orleans.Placement;

/// <summary>What each silo answers the others.</summary>
[Alias("kvt.silo-reports")]
internal interface ISiloReports : IGrainService
{
    /// <summary>What the silo says of itself; null = nothing yet, as its model loads.</summary>
    /// <param name="knownVersion">The version of its blocks that need not be said again.</param>
    [Alias("report")]
    [ResponseTimeout("00:00:02")]
    Task<SiloReport?> ReportAsync(long knownVersion);
}
