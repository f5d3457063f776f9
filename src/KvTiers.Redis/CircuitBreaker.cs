namespace KvTiers.Redis;

/// <summary>After so many faults in a row calls are refused at once, but for one at a time that tries whether all is well again.</summary>
/// <remarks>Thread-safe.</remarks>
internal sealed class CircuitBreaker(int faultsToOpen, TimeSpan retryAfter, TimeProvider time)
{
    private readonly Lock _lock = new();
    private int _faults;
    private DateTimeOffset _retryAt;

    /// <summary>Whether calls are refused.</summary>
    public bool IsOpen
    {
        get
        {
            lock (_lock)
                return _faults >= faultsToOpen;
        }
    }

    /// <summary>Whether a call may be made now. Its outcome must be told.</summary>
    public bool TryEnter()
    {
        lock (_lock)
        {
            if (_faults < faultsToOpen)
                return true;

            if (time.GetUtcNow() < _retryAt)
                return false;

            _retryAt = time.GetUtcNow() + retryAfter;
            return true;
        }
    }

    public void Succeeded()
    {
        lock (_lock)
            _faults = 0;
    }

    public void Failed()
    {
        lock (_lock)
        {
            _faults = Math.Min(_faults + 1, faultsToOpen);
            _retryAt = time.GetUtcNow() + retryAfter;
        }
    }
}
