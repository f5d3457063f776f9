namespace KvTiers.Silo.Operations.Metrics;

/// <summary>One value of a metric at the moment of collection.</summary>
/// <param name="Labels">The labels as the text format has them, without braces: <c>a="x",b="y"</c>; empty = none.</param>
/// <param name="Value">The value; a histogram's sum.</param>
/// <param name="Bounds">A histogram's upper bucket bounds, ascending, without infinity; null = no histogram.</param>
/// <param name="BucketCounts">[bounds + 1]: observations in each bucket alone, the last one beyond all bounds.</param>
internal sealed record MetricSample(string Labels, double Value, double[]? Bounds = null, long[]? BucketCounts = null)
{
    /// <summary>Two samples of one metric and label set as one.</summary>
    public static MetricSample Add(MetricSample first, MetricSample second) => new(
        first.Labels,
        first.Value + second.Value,
        first.Bounds,
        first.BucketCounts is null || second.BucketCounts is null ? first.BucketCounts : [.. first.BucketCounts.Zip(second.BucketCounts, (a, b) => a + b)]);
}
