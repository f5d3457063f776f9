namespace KvTiers.Silo.Operations.Metrics;

/// <summary>The value of one instrument under one label set.</summary>
internal sealed class MetricSeries
{
    private readonly KeyValuePair<string, object?>[] _tags;
    private readonly string _labels;
    private readonly double[]? _bounds;
    private readonly long[]? _bucketCounts;
    private readonly Lock _lock = new();
    private double _value;

    /// <summary>At zero.</summary>
    /// <param name="tags">The label set.</param>
    /// <param name="bounds">A histogram's upper bucket bounds, ascending; null = no histogram.</param>
    public MetricSeries(ReadOnlySpan<KeyValuePair<string, object?>> tags, double[]? bounds)
    {
        _tags = tags.ToArray();
        _labels = PrometheusText.Labels(tags);
        _bounds = bounds;
        _bucketCounts = bounds is null ? null : new long[bounds.Length + 1];
    }

    /// <summary>True when these are its tags, in its order.</summary>
    public bool Matches(ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        if (tags.Length != _tags.Length) return false;
        for (int i = 0; i < tags.Length; i++)
            if (tags[i].Key != _tags[i].Key || !Equals(tags[i].Value, _tags[i].Value)) return false;

        return true;
    }

    /// <summary>Sets the value.</summary>
    public void Set(double value) => Volatile.Write(ref _value, value);

    /// <summary>Adds to the value.</summary>
    public void Add(double value)
    {
        double seen = Volatile.Read(ref _value);
        while (true)
        {
            double found = Interlocked.CompareExchange(ref _value, seen + value, seen);
            if (found.Equals(seen)) return;
            seen = found;
        }
    }

    /// <summary>Counts an observation.</summary>
    public void Observe(double value)
    {
        int bucket = 0;
        while (bucket < _bounds!.Length && value > _bounds[bucket]) bucket++;
        lock (_lock)
        {
            _bucketCounts![bucket]++;
            _value += value;
        }
    }

    /// <summary>The value now.</summary>
    public MetricSample Read()
    {
        lock (_lock) return new MetricSample(_labels, Volatile.Read(ref _value), _bounds, (long[]?)_bucketCounts?.Clone());
    }
}
