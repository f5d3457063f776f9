namespace KvTiers.Redis;

/// <summary>Tells what was mended: whoever listens once, and whoever asks for a minute.</summary>
/// <remarks>Thread-safe. What is mended again within the minute is told once.</remarks>
internal sealed class MendingLog(Action<string>? report, TimeProvider time)
{
    private static readonly TimeSpan Told = TimeSpan.FromMinutes(1);

    private readonly Lock _lock = new();
    private string? _last;
    private DateTimeOffset _at;

    /// <summary>What was mended within the last minute; null = nothing.</summary>
    public string? Recent
    {
        get
        {
            lock (_lock)
                return _last is not null && time.GetUtcNow() - _at < Told ? _last : null;
        }
    }

    /// <summary>Something was mended.</summary>
    /// <param name="what">A sentence that says what was found and what was done.</param>
    public void Add(string what)
    {
        bool isNews;
        lock (_lock)
        {
            isNews = _last is null || time.GetUtcNow() - _at >= Told;
            (_last, _at) = (what, time.GetUtcNow());
        }

        if (isNews)
            report?.Invoke(what);
    }
}
