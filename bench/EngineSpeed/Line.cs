using System.Diagnostics;
using KvTiers.Inference.Model;

namespace KvTiers.Bench.EngineSpeed;

/// <summary>
/// One line of the result. Work and limit are measured in turns, a few hundredths of a second each: neighbours on the same memory come and go within
/// a second, and only what stands side by side can be compared. What counts is the median of the pairs' ratios.
/// </summary>
/// <param name="Name">What is computed.</param>
/// <param name="Format">Of the weights.</param>
/// <param name="Tokens">Tokens of one run.</param>
/// <param name="Amount">Bytes or operations of one run.</param>
/// <param name="IsMemory">Whether they are bytes.</param>
/// <param name="Once">One run.</param>
internal sealed record Line(string Name, WeightFormat Format, int Tokens, double Amount, bool IsMemory, Action Once)
{
    private static readonly TimeSpan Turn = TimeSpan.FromMilliseconds(40);
    private static readonly TimeSpan Most = TimeSpan.FromSeconds(1);
    private readonly List<double> _seconds = [];
    private readonly List<double> _limits = [];
    private readonly List<double> _ratios = [];

    /// <summary>Seconds of one run.</summary>
    public double Seconds => Median(_seconds);

    /// <summary>The limit beside it, in bytes or operations a second.</summary>
    public double Limit => Median(_limits);

    /// <summary>How much of the limit was reached, turn by turn.</summary>
    public double OfLimit => Median(_ratios);

    /// <summary>Measures for a round.</summary>
    /// <param name="turns">Pairs of work and limit, at most; fewer of what takes long.</param>
    /// <param name="limit">Measures the limit for so long.</param>
    /// <param name="processorTime">Count processor time instead of time that passed.</param>
    public void Measure(int turns, Func<TimeSpan, double> limit, bool processorTime)
    {
        Once();
        double before = limit(Turn / 2);
        var all = Stopwatch.StartNew();
        for (int turn = 0; turn < turns && (turn < 2 || all.Elapsed < Most); turn++)
        {
            int runs = 0;
            TimeSpan used = Environment.CpuUsage.TotalTime;
            var clock = Stopwatch.StartNew();
            do
            {
                Once();
                runs++;
            }
            while (clock.Elapsed < Turn);
            TimeSpan elapsed = processorTime ? Environment.CpuUsage.TotalTime - used : clock.Elapsed;
            double after = limit(Turn / 2);
            _seconds.Add(elapsed.TotalSeconds / runs);
            _limits.Add((before + after) / 2);
            _ratios.Add(Amount / _seconds[^1] / _limits[^1]);
            before = after;
        }
    }

    /// <summary>Forgets the rounds before.</summary>
    public void Clear()
    {
        foreach (List<double> values in (List<double>[])[_seconds, _limits, _ratios])
            values.Clear();
    }

    private static double Median(List<double> values)
    {
        double[] sorted = [.. values.Order()];
        return sorted.Length == 0 ? double.NaN : sorted[sorted.Length / 2];
    }
}
