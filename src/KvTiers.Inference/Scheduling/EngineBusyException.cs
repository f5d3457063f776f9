namespace KvTiers.Inference.Scheduling;

/// <summary>The engine takes no more requests for now: it has as many sequences as it takes, or the tenant has its share of them. Try again later.</summary>
public sealed class EngineBusyException : InvalidOperationException
{
    /// <summary>Refused for want of places.</summary>
    /// <param name="maxWaiting">How many may wait.</param>
    /// <param name="retryAfter">When there should be room, as far as can be told; null = it cannot.</param>
    public EngineBusyException(int maxWaiting, TimeSpan? retryAfter = null)
        : base($"The engine works on as many sequences as it takes, {maxWaiting} of them waiting (MaxWaiting), or on this tenant's share of them; it takes no more for now.")
    {
        MaxWaiting = maxWaiting;
        RetryAfter = retryAfter;
    }

    /// <summary>How many may wait.</summary>
    public int MaxWaiting { get; }

    /// <summary>When there should be room, at the rate at which sequences ended of late; null = unknown.</summary>
    public TimeSpan? RetryAfter { get; }
}
