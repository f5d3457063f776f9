namespace KvTiers.Silo.Anthropic;

/// <summary>The times that a breakpoint's prefix may be kept for.</summary>
internal static class CacheTtl
{
    /// <summary><c>5m</c>, the default.</summary>
    public static TimeSpan Short { get; } = TimeSpan.FromMinutes(5);

    /// <summary><c>1h</c>.</summary>
    public static TimeSpan Long { get; } = TimeSpan.FromHours(1);
}
