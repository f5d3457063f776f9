namespace KvTiers.Silo.Limits;

/// <summary>How a limit stands for a caller.</summary>
/// <param name="Limit">What may be taken at once when nothing was taken for a while.</param>
/// <param name="Level">What may be taken now; below 0 = so much is owed.</param>
/// <param name="FullIn">When as much as <paramref name="Limit"/> may be taken.</param>
/// <param name="OneIn">When one more may be taken.</param>
internal readonly record struct RateState(double Limit, double Level, TimeSpan FullIn, TimeSpan OneIn)
{
    /// <summary>How a limit stands at a level.</summary>
    public static RateState Of(RateRule rule, double level) => new(
        rule.Capacity, level, TimeSpan.FromSeconds(Math.Max(0, rule.Capacity - level) / rule.PerSecond), TimeSpan.FromSeconds(Math.Max(0, 1 - level) / rule.PerSecond));

    /// <summary>What may be taken now.</summary>
    public long Remaining => (long)Math.Max(0, Math.Floor(Level));
}
