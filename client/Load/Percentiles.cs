namespace KvTiers.Cli.Load;

/// <summary>The spread of a time, in milliseconds; null without a measurement.</summary>
internal sealed record Percentiles(double P50, double P90, double P99, double Max)
{
    /// <summary>By nearest rank.</summary>
    public static Percentiles? Of(IEnumerable<TimeSpan?> times)
    {
        double[] sorted = [.. times.OfType<TimeSpan>().Select(time => time.TotalMilliseconds).Order()];
        double At(double share) => sorted[Math.Max(0, (int)Math.Ceiling(share * sorted.Length) - 1)];
        return sorted.Length == 0 ? null : new Percentiles(At(0.5), At(0.9), At(0.99), sorted[^1]);
    }
}
