namespace KvTiers.Inference.Scheduling;

/// <summary>The engine takes no more requests for now, because too many wait already. Try again later.</summary>
public sealed class EngineBusyException : InvalidOperationException
{
    /// <summary>Refused because the queue is full.</summary>
    /// <param name="maxWaiting">How many may wait.</param>
    public EngineBusyException(int maxWaiting)
        : base($"{maxWaiting} requests are waiting already; the engine takes no more for now (MaxWaiting).") => MaxWaiting = maxWaiting;

    /// <summary>How many may wait.</summary>
    public int MaxWaiting { get; }
}
