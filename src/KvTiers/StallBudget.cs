namespace KvTiers;

/// <summary>How long one call that needs room may be held up in all by those who want its blocks, however many blocks and however many of them.</summary>
/// <remarks>Used by the call's thread alone.</remarks>
/// <param name="time">The clock that it runs by.</param>
internal sealed class StallBudget(TimeProvider time)
{
    private TimeSpan _left;

    /// <summary>For whoever must not wait at all.</summary>
    public static StallBudget None { get; } = new(TimeProvider.System);

    /// <summary>Whether there was something to wait with. A refusal then says that somebody waited in vain.</summary>
    public bool MayWait { get; private set; }

    /// <summary>Begins a call.</summary>
    /// <param name="patience">The time in all.</param>
    public StallBudget Begin(TimeSpan patience)
    {
        _left = patience;
        MayWait = patience > TimeSpan.Zero;
        return this;
    }

    /// <summary>Takes a place, and waits for one as long as something of the budget is left.</summary>
    public bool TryEnter(SemaphoreSlim places)
    {
        if (places.Wait(TimeSpan.Zero))
            return true;
        if (_left <= TimeSpan.Zero)
            return false;
        long start = time.GetTimestamp();
        using var patience = new CancellationTokenSource(_left, time);
        try
        {
            places.Wait(patience.Token);
            _left -= time.GetElapsedTime(start);
            return true;
        }
        catch (OperationCanceledException)
        {
            _left = TimeSpan.Zero;
            return false;
        }
    }
}
