namespace KvTiers.Silo.Limits;

/// <summary>A limit by time.</summary>
/// <param name="Capacity">What may be taken at once; above 0.</param>
/// <param name="PerSecond">What may be taken in a second over time; above 0.</param>
internal readonly record struct RateRule(double Capacity, double PerSecond)
{
    /// <summary>Requests: those of a second, at least one, may come at once.</summary>
    public static RateRule? Requests(double? perSecond) => perSecond is { } rate ? new RateRule(Math.Max(1, rate), rate) : null;

    /// <summary>Tokens: those of a minute may be taken at once.</summary>
    public static RateRule? Tokens(long? perMinute) => perMinute is { } rate ? new RateRule(rate, rate / 60.0) : null;

    /// <summary>The part of it that one of several servers may let through by itself.</summary>
    public RateRule Share(int servers) => new(Math.Max(1, Capacity / servers), PerSecond / servers);
}
