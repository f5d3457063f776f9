using Orleans.Runtime.Services;

namespace KvTiers.Orleans.Placement;

/// <summary>Asks a silo for its report.</summary>
internal sealed class SiloReportsClient(IServiceProvider services) : GrainServiceClient<ISiloReports>(services)
{
    /// <inheritdoc cref="ISiloReports.ReportAsync"/>
    /// <exception cref="OrleansException">The silo is gone, or its build knows no reports.</exception>
    /// <exception cref="TimeoutException">It does not answer.</exception>
    public Task<SiloReport?> ReportAsync(SiloAddress silo, long knownVersion) => GetGrainService(silo).ReportAsync(knownVersion);
}
