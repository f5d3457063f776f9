using System.Diagnostics.Metrics;
using KvTiers.Silo.Operations.Metrics;

namespace KvTiers.Silo.Tests.Operations;

public sealed class MetricCollectorTests : IDisposable
{
    private readonly MetricCollector _collector = new();
    private readonly string _prefix = "test" + Guid.NewGuid().ToString("N");
    private readonly Meter _meter = new("KvTiers.Tests");

    public void Dispose()
    {
        _meter.Dispose();
        _collector.Dispose();
    }

    [Fact]
    public void CountersAddUpByLabel()
    {
        Counter<long> counter = _meter.CreateCounter<long>(_prefix + ".read", "By", "Bytes read.");
        counter.Add(3, new("tier", "ram"), new("kind", "x"));
        counter.Add(4, new("kind", "x"), new("tier", "ram"));
        counter.Add(5, new KeyValuePair<string, object?>("tier", "disk"));

        Assert.Equal(7, Samples()[_prefix + "_read_bytes_total{kind=\"x\",tier=\"ram\"}"]);
        Assert.Equal(5, Samples()[_prefix + "_read_bytes_total{tier=\"disk\"}"]);
    }

    [Fact]
    public void UpDownCountersAddAndGaugesReplace()
    {
        UpDownCounter<int> level = _meter.CreateUpDownCounter<int>(_prefix + ".level");
        Gauge<double> gauge = _meter.CreateGauge<double>(_prefix + ".share", "1");
        level.Add(5);
        level.Add(-2);
        gauge.Record(0.25);
        gauge.Record(0.75);

        Assert.Equal(3, Samples()[_prefix + "_level"]);
        Assert.Equal(0.75, Samples()[_prefix + "_share_ratio"]);
    }

    [Fact]
    public void ObservablesShowOnlyWhatTheyReportNow()
    {
        var values = new Dictionary<string, long> { ["a"] = 1, ["b"] = 2 };
        _meter.CreateObservableGauge(_prefix + ".blocks", () => values.Select(pair => new Measurement<long>(pair.Value, new KeyValuePair<string, object?>("tier", pair.Key))), "{block}");
        Assert.Equal(2, Samples()[_prefix + "_blocks{tier=\"b\"}"]);

        values.Remove("b");
        values["a"] = 9;

        Assert.Equal(9, Samples()[_prefix + "_blocks{tier=\"a\"}"]);
        Assert.DoesNotContain(_prefix + "_blocks{tier=\"b\"}", Samples());
    }

    [Fact]
    public void HistogramBucketsAreCumulativeAndUseTheAdvisedBounds()
    {
        Histogram<double> histogram = _meter.CreateHistogram(
            _prefix + ".ttft", "s", "Time.", advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = [0.1, 1] });
        foreach (double value in (double[])[0.05, 0.1, 0.5, 7]) histogram.Record(value);

        IReadOnlyDictionary<string, double> samples = Samples();

        Assert.Equal(2, samples[_prefix + "_ttft_seconds_bucket{le=\"0.1\"}"]);
        Assert.Equal(3, samples[_prefix + "_ttft_seconds_bucket{le=\"1\"}"]);
        Assert.Equal(4, samples[_prefix + "_ttft_seconds_bucket{le=\"+Inf\"}"]);
        Assert.Equal(4, samples[_prefix + "_ttft_seconds_count"]);
        Assert.Equal(7.65, samples[_prefix + "_ttft_seconds_sum"], 10);
    }

    [Fact]
    public void LabelsAndHelpAreEscaped()
    {
        _meter.CreateCounter<int>(_prefix + ".odd-name", null, "Two\nlines and a \\.").Add(1, new KeyValuePair<string, object?>("path.name", "a\"b\\c\nd"));

        string text = PrometheusText.Write(_collector.Collect());

        Assert.Contains(_prefix + "_odd_name_total{path_name=\"a\\\"b\\\\c\\nd\"} 1\n", text);
        Assert.Contains($"# HELP {_prefix}_odd_name_total Two\\nlines and a \\\\.\n", text);
        PrometheusParser.Parse(text);
    }

    [Fact]
    public void InstrumentsOfOneNameAddUpAndADisposedMeterIsGone()
    {
        using (var other = new Meter("KvTiers.Tests.Other"))
        {
            _meter.CreateCounter<long>(_prefix + ".hits").Add(1);
            other.CreateCounter<long>(_prefix + ".hits").Add(2);
            Assert.Equal(3, Samples()[_prefix + "_hits_total"]);
        }

        Assert.Equal(1, Samples()[_prefix + "_hits_total"]);
    }

    [Fact]
    public void ConcurrentMeasurementsAreAllCounted()
    {
        Counter<long> counter = _meter.CreateCounter<long>(_prefix + ".many");
        Histogram<double> histogram = _meter.CreateHistogram<double>(_prefix + ".sizes");
        Parallel.For(0, 4, worker =>
        {
            for (int i = 0; i < 10_000; i++)
            {
                counter.Add(1, new KeyValuePair<string, object?>("worker", worker % 2));
                histogram.Record(i);
            }
        });

        Assert.Equal(20_000, Samples()[_prefix + "_many_total{worker=\"1\"}"]);
        Assert.Equal(40_000, Samples()[_prefix + "_sizes_count"]);
    }

    [Fact]
    public void MeasuringKnownLabelsAllocatesNothing()
    {
        Counter<long> counter = _meter.CreateCounter<long>(_prefix + ".quiet");
        Histogram<double> histogram = _meter.CreateHistogram<double>(_prefix + ".quiet_sizes", "s");
        object tier = "hot";
        void Measure()
        {
            counter.Add(1, new KeyValuePair<string, object?>("tier", tier));
            histogram.Record(0.5);
        }

        for (int i = 0; i < 100; i++) Measure();
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 1_000; i++) Measure();

        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }

    [Fact]
    public void OtherMetersAreLeftOut()
    {
        using var foreign = new Meter("Foreign");
        foreign.CreateCounter<long>(_prefix + ".foreign").Add(1);

        Assert.DoesNotContain(_collector.Collect(), family => family.Name == _prefix + "_foreign_total");
    }

    private IReadOnlyDictionary<string, double> Samples() => PrometheusParser.Parse(PrometheusText.Write(_collector.Collect()));
}
