namespace KvTiers.Silo.Limits;

/// <summary>A bucket that fills at a steady rate, and from which more may be taken than is in it: what is owed fills up first.</summary>
/// <remarks>
/// How many tokens an answer takes is known when it has ended, so the limit is that nothing begins while something is owed. The runtime's own
/// <see cref="System.Threading.RateLimiting"/> has neither debt, nor a clock that tests can move, nor the time until it is full, which answers tell their callers. Thread-safe.
/// </remarks>
/// <param name="rule">What it holds when full, as at the start, and how fast it fills.</param>
/// <param name="time">The clock.</param>
internal sealed class RateBucket(RateRule rule, TimeProvider time)
{
    private readonly Lock _gate = new();
    private double _level = rule.Capacity;
    private long _filledAt = time.GetTimestamp();

    /// <summary>What it holds when full, and how fast it fills.</summary>
    public RateRule Rule => rule;

    /// <summary>How it stands now.</summary>
    public RateState State
    {
        get
        {
            lock (_gate)
            {
                Fill();
                return RateState.Of(rule, _level);
            }
        }
    }

    /// <summary>Takes so much, all or nothing.</summary>
    /// <param name="amount">How much; at most the capacity.</param>
    /// <param name="retryAfter">When refused: when there will be as much.</param>
    public bool TryTake(double amount, out TimeSpan retryAfter)
    {
        lock (_gate)
        {
            Fill();
            retryAfter = TimeSpan.FromSeconds(Math.Max(0, amount - _level) / rule.PerSecond);
            if (_level < amount) return false;
            _level -= amount;
            return true;
        }
    }

    /// <summary>Takes so much, owing what is not there.</summary>
    public void Charge(double amount)
    {
        lock (_gate)
        {
            Fill();
            _level -= amount;
        }
    }

    private void Fill()
    {
        long now = time.GetTimestamp();
        _level = Math.Min(rule.Capacity, _level + (time.GetElapsedTime(_filledAt, now).TotalSeconds * rule.PerSecond));
        _filledAt = now;
    }
}
