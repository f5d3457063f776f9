using System.Diagnostics.Metrics;

namespace KvTiers.Silo.Operations.Metrics;

/// <summary>Listens to every meter whose name begins with <c>KvTiers</c> and keeps what <c>GET /metrics</c> shows.</summary>
/// <remarks>
/// Recording a measurement allocates nothing once its labels have been seen, and takes no lock but a histogram's own: the engine records on its step thread.
/// Instruments of one name, from several caches of one process, add up.
/// </remarks>
internal sealed class MetricCollector : IDisposable
{
    private const string MeterPrefix = "KvTiers";
    private readonly MeterListener _listener = new();
    private readonly Lock _lock = new();
    private readonly List<InstrumentRecord> _records = [];

    /// <summary>Listens from now on; what meters exist already is included.</summary>
    public MetricCollector()
    {
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (!instrument.Meter.Name.StartsWith(MeterPrefix, StringComparison.Ordinal)) return;
            var record = new InstrumentRecord(instrument);
            lock (_lock) _records.Add(record);
            listener.EnableMeasurementEvents(instrument, record);
        };
        _listener.MeasurementsCompleted = (_, state) =>
        {
            lock (_lock) _records.Remove((InstrumentRecord)state!);
        };
        _listener.SetMeasurementEventCallback<byte>(static (_, value, tags, state) => ((InstrumentRecord)state!).Record(value, tags));
        _listener.SetMeasurementEventCallback<short>(static (_, value, tags, state) => ((InstrumentRecord)state!).Record(value, tags));
        _listener.SetMeasurementEventCallback<int>(static (_, value, tags, state) => ((InstrumentRecord)state!).Record(value, tags));
        _listener.SetMeasurementEventCallback<long>(static (_, value, tags, state) => ((InstrumentRecord)state!).Record(value, tags));
        _listener.SetMeasurementEventCallback<float>(static (_, value, tags, state) => ((InstrumentRecord)state!).Record(value, tags));
        _listener.SetMeasurementEventCallback<double>(static (_, value, tags, state) => ((InstrumentRecord)state!).Record(value, tags));
        _listener.SetMeasurementEventCallback<decimal>(static (_, value, tags, state) => ((InstrumentRecord)state!).Record((double)value, tags));
        _listener.Start();
    }

    /// <summary>Asks the observable instruments and gives all families, sorted by name.</summary>
    public IReadOnlyList<MetricFamily> Collect()
    {
        lock (_lock)
        {
            foreach (InstrumentRecord record in _records) record.BeginCollection();
            _listener.RecordObservableInstruments();
            return [.. _records
                .GroupBy(record => record.Name)
                .OrderBy(group => group.Key, StringComparer.Ordinal)
                .Select(group => new MetricFamily(
                    group.Key,
                    group.First().Kind,
                    group.First().Description,
                    [.. group.SelectMany(record => record.Samples())
                        .GroupBy(sample => sample.Labels)
                        .OrderBy(same => same.Key, StringComparer.Ordinal)
                        .Select(same => same.Aggregate(MetricSample.Add))]))];
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _listener.Dispose();
}
