namespace KvTiers.Silo.Operations.Metrics;

/// <summary>All samples of one metric.</summary>
/// <param name="Name">Its Prometheus name, unit and <c>_total</c> included.</param>
/// <param name="Kind">What kind it is.</param>
/// <param name="Description">What it measures.</param>
/// <param name="Samples">One a label set, sorted by labels.</param>
internal sealed record MetricFamily(string Name, MetricKind Kind, string Description, IReadOnlyList<MetricSample> Samples);
