using System.Diagnostics.Metrics;

namespace KvTiers.Inference.Scheduling;

/// <summary>The meter <c>KvTiers.Engine</c>, whose scope is the engine. Times are in seconds. No label names a tenant. A listener that throws is not heard of.</summary>
internal sealed class EngineMetrics : IDisposable
{
    public const string MeterName = "KvTiers.Engine";

    private readonly Meter _meter;
    private readonly Histogram<double> _timeToFirstToken;
    private readonly Histogram<double> _timePerOutputToken;
    private readonly Histogram<double> _interTokenLatency;
    private readonly Histogram<double> _stepTime;

    public EngineMetrics(Engine engine)
    {
        _meter = new Meter(MeterName, version: null, tags: null, scope: engine);
        Func<EngineSnapshot> snapshot = engine.Snapshot;
        _timeToFirstToken = Seconds("kvtiers.engine.ttft", "Time from submission to the first token.");
        _timePerOutputToken = Seconds("kvtiers.engine.tpot", "Mean time between the tokens of a finished choice.");
        _interTokenLatency = Seconds("kvtiers.engine.itl", "Time between two tokens of a choice.");
        _stepTime = Seconds("kvtiers.engine.step", "Time of one step: forward pass and sampling.");
        _meter.CreateObservableCounter("kvtiers.engine.tokens.computed", () => snapshot().ComputedTokens, "{token}", "Prompt tokens computed.");
        _meter.CreateObservableCounter("kvtiers.engine.tokens.cached", () => snapshot().CachedTokens, "{token}", "Prompt tokens found in the cache.");
        _meter.CreateObservableCounter("kvtiers.engine.tokens.recomputed", () => snapshot().RecomputedTokens, "{token}", "Tokens computed again after a preemption.");
        _meter.CreateObservableCounter("kvtiers.engine.tokens.generated", () => snapshot().GeneratedTokens, "{token}", "Tokens sampled.");
        _meter.CreateObservableCounter("kvtiers.engine.steps", () => snapshot().Steps, "{step}", "Forward passes.");
        _meter.CreateObservableCounter("kvtiers.engine.preemptions", () => snapshot().Preemptions, "{preemption}", "Sequences put back because blocks ran out.");
        _meter.CreateObservableGauge("kvtiers.engine.running", () => snapshot().Running, "{sequence}", "Sequences in work.");
        _meter.CreateObservableGauge("kvtiers.engine.waiting", () => snapshot().Waiting, "{sequence}", "Sequences that wait to be started or resumed.");
    }

    public void NoteFirstToken(TimeSpan sinceSubmission) => Record(_timeToFirstToken, sinceSubmission);

    public void NotePaceOf(TimeSpan meanGap) => Record(_timePerOutputToken, meanGap);

    public void NoteGap(TimeSpan sinceLastToken) => Record(_interTokenLatency, sinceLastToken);

    public void NoteStep(TimeSpan elapsed) => Record(_stepTime, elapsed);

    public void Dispose() => _meter.Dispose();

    private Histogram<double> Seconds(string name, string description) => _meter.CreateHistogram<double>(name, "s", description);

    private static void Record(Histogram<double> histogram, TimeSpan time)
    {
        try
        {
            histogram.Record(time.TotalSeconds);
        }
        catch (Exception)
        {
            // Listeners are called on the engine's thread. What one of them throws is no sequence's affair.
        }
    }
}
