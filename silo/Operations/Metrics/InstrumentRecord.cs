using System.Diagnostics.Metrics;

namespace KvTiers.Silo.Operations.Metrics;

/// <summary>One instrument's values, by label set.</summary>
internal sealed class InstrumentRecord
{
    private static readonly double[] SecondBounds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];
    private static readonly double[] PlainBounds = [1, 2, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 100_000];

    private readonly double[]? _bounds;
    private readonly bool _adds;
    private readonly bool _isObservable;
    private readonly Lock _lock = new();

    // Replaced as a whole when a label set is new, so that readers need no lock.
    private volatile MetricSeries[] _series = [];

    /// <summary>For an instrument that was published.</summary>
    public InstrumentRecord(Instrument instrument)
    {
        string type = instrument.GetType().Name;
        Kind = type.StartsWith("Histogram", StringComparison.Ordinal) ? MetricKind.Histogram
            : type.Contains("UpDown", StringComparison.Ordinal) || type.Contains("Gauge", StringComparison.Ordinal) ? MetricKind.Gauge
            : MetricKind.Counter;
        _isObservable = instrument.IsObservable;
        _adds = !_isObservable && !type.StartsWith("Gauge", StringComparison.Ordinal);
        Name = PrometheusText.NameOf(instrument.Name, instrument.Unit, Kind);
        Description = instrument.Description ?? "";
        if (Kind == MetricKind.Histogram) _bounds = Advised(instrument) ?? (instrument.Unit == "s" ? SecondBounds : PlainBounds);
    }

    /// <summary>Its Prometheus name.</summary>
    public string Name { get; }

    /// <summary>What kind of metric it is.</summary>
    public MetricKind Kind { get; }

    /// <summary>What it measures.</summary>
    public string Description { get; }

    /// <summary>Takes one measurement.</summary>
    public void Record(double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        MetricSeries series = Find(_series, tags) ?? AddSeries(tags);
        if (_bounds is not null) series.Observe(value);
        else if (_adds) series.Add(value);
        else series.Set(value);
    }

    /// <summary>An observable instrument reports all its label sets anew; the former ones are dropped.</summary>
    public void BeginCollection()
    {
        if (_isObservable) _series = [];
    }

    /// <summary>The values now.</summary>
    public IEnumerable<MetricSample> Samples() => _series.Select(series => series.Read());

    private static MetricSeries? Find(MetricSeries[] all, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        foreach (MetricSeries series in all)
            if (series.Matches(tags)) return series;

        return null;
    }

    private static double[]? Advised(Instrument instrument) => instrument switch
    {
        Instrument<double> { Advice.HistogramBucketBoundaries: { } bounds } => [.. bounds],
        Instrument<float> { Advice.HistogramBucketBoundaries: { } bounds } => [.. bounds.Select(bound => (double)bound)],
        Instrument<long> { Advice.HistogramBucketBoundaries: { } bounds } => [.. bounds.Select(bound => (double)bound)],
        Instrument<int> { Advice.HistogramBucketBoundaries: { } bounds } => [.. bounds.Select(bound => (double)bound)],
        _ => null,
    };

    private MetricSeries AddSeries(ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        lock (_lock)
        {
            if (Find(_series, tags) is { } known) return known;
            var series = new MetricSeries(tags, _bounds);
            _series = [.. _series, series];
            return series;
        }
    }
}
