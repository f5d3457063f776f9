using System.Diagnostics;

namespace KvTiers.Bench.Tiers;

/// <summary>What a load did so far: operations, bytes, the time taken, and how long each operation took.</summary>
internal sealed class Samples
{
    private readonly List<long> _ticks = [];
    private double _percentile50;
    private double _percentile99;

    public long Bytes { get; private set; }

    public double Seconds { get; private set; }

    public double BytesPerSecond => Bytes / Seconds;

    /// <summary>Adds a slice of time in which each of <paramref name="ticks"/> is one operation of <paramref name="bytesEach"/>.</summary>
    public void Add(double seconds, int bytesEach, IEnumerable<long> ticks)
    {
        int before = _ticks.Count;
        _ticks.AddRange(ticks);
        Bytes += (long)(_ticks.Count - before) * bytesEach;
        Seconds += seconds;
    }

    /// <summary>Adds what another program measured.</summary>
    public void Add(double seconds, long bytes, double percentile50Microseconds, double percentile99Microseconds)
    {
        Bytes += bytes;
        Seconds += seconds;
        _percentile50 = percentile50Microseconds;
        _percentile99 = percentile99Microseconds;
    }

    /// <summary>Microseconds of an operation at a percentile of 50 or 99.</summary>
    public double Microseconds(int percentile)
    {
        if (_ticks.Count == 0)
            return percentile == 50 ? _percentile50 : _percentile99;

        _ticks.Sort();
        return Stopwatch.GetElapsedTime(0, _ticks[(int)((long)(_ticks.Count - 1) * percentile / 100)]).TotalMicroseconds;
    }
}
