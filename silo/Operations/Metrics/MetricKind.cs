namespace KvTiers.Silo.Operations.Metrics;

/// <summary>How a metric's values relate over time.</summary>
internal enum MetricKind
{
    /// <summary>Only rises.</summary>
    Counter,

    /// <summary>Rises and falls.</summary>
    Gauge,

    /// <summary>Counts observations by size.</summary>
    Histogram,
}
