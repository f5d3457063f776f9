using System.Diagnostics.Metrics;

namespace KvTiers.Orleans.Hosting;

/// <summary>The meter <c>KvTiers.Orleans</c>. No label names a tenant or a conversation.</summary>
internal sealed class OrleansMetrics : IDisposable
{
    private readonly Meter _meter = new("KvTiers.Orleans");
    private readonly Counter<long> _calls;
    private readonly Histogram<double> _callDuration;
    private readonly Counter<long> _placed;
    private readonly Counter<long> _activations;
    private long _active;

    public OrleansMetrics()
    {
        _calls = _meter.CreateCounter<long>("kvtiers.orleans.calls", "{call}", "Grain calls taken here, by method and outcome.");
        _callDuration = _meter.CreateHistogram<double>("kvtiers.orleans.call", "s", "Time of grain calls taken here, by method.");
        _placed = _meter.CreateCounter<long>("kvtiers.orleans.placed", "{conversation}", "Conversations that this silo placed somewhere, by what decided.");
        _activations = _meter.CreateCounter<long>("kvtiers.orleans.activations", "{conversation}", "Conversations that were activated here.");
        _meter.CreateObservableGauge("kvtiers.orleans.active", () => Interlocked.Read(ref _active), "{conversation}", "Conversations that are active here.");
    }

    public long Active => Interlocked.Read(ref _active);

    public void Called(string method, bool failed, double seconds)
    {
        _calls.Add(1, new("method", method), new KeyValuePair<string, object?>("outcome", failed ? "error" : "ok"));
        _callDuration.Record(seconds, new KeyValuePair<string, object?>("method", method));
    }

    public void Placed(string by) => _placed.Add(1, new KeyValuePair<string, object?>("by", by));

    public void Activated()
    {
        _activations.Add(1);
        Interlocked.Increment(ref _active);
    }

    public void Deactivated() => Interlocked.Decrement(ref _active);

    public void Dispose() => _meter.Dispose();
}
