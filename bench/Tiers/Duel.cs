namespace KvTiers.Bench.Tiers;

/// <summary>A load beside its limit, in turns: what disturbs the machine disturbs both.</summary>
/// <param name="Limit">What the limit did.</param>
/// <param name="Load">What the load did.</param>
/// <param name="Ratio">The median over the rounds of the load's bytes a second over the limit's.</param>
internal sealed record Duel(Samples Limit, Samples Load, double Ratio)
{
    /// <summary>The limit's median time of an operation over the load's. What took the processor away in between does not count.</summary>
    public double MedianRatio => Limit.Microseconds(50) / Load.Microseconds(50);

    public static async Task<Duel> RunAsync(ILoad limit, ILoad load, int rounds, TimeSpan slice)
    {
        await limit.RunAsync(slice / 4, new Samples());
        await load.RunAsync(slice / 4, new Samples());
        Samples limits = new(), loads = new();
        var ratios = new List<double>();
        for (int round = 0; round < rounds; round++)
        {
            double bytes = limits.Bytes, seconds = limits.Seconds;
            await limit.RunAsync(slice, limits);
            double limitRate = (limits.Bytes - bytes) / (limits.Seconds - seconds);
            (bytes, seconds) = (loads.Bytes, loads.Seconds);
            await load.RunAsync(slice, loads);
            ratios.Add((loads.Bytes - bytes) / (loads.Seconds - seconds) / limitRate);
        }

        ratios.Sort();
        return new Duel(limits, loads, (ratios[(rounds - 1) / 2] + ratios[rounds / 2]) / 2);
    }
}
