namespace KvTiers.Tiers;

/// <summary>How fast a tier answers: moving averages of the time to the first byte and of the time per byte after it.</summary>
/// <remarks>Thread-safe. A new figure counts for a quarter, so that a change shows after a few transfers.</remarks>
public sealed class TransferRate
{
    private const double NewShare = 0.25;

    private readonly Lock _lock = new();
    private double _latencySeconds;
    private double _secondsPerByte;

    /// <summary>Starts from a guess, which the first measurements replace.</summary>
    public TransferRate(double latencySeconds, double bytesPerSecond)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(latencySeconds);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(bytesPerSecond);
        _latencySeconds = latencySeconds;
        _secondsPerByte = 1 / bytesPerSecond;
    }

    /// <summary>Seconds before the first byte.</summary>
    public double LatencySeconds
    {
        get
        {
            lock (_lock)
            {
                return _latencySeconds;
            }
        }
    }

    /// <summary>Bytes a second after that.</summary>
    public double BytesPerSecond
    {
        get
        {
            lock (_lock)
            {
                return 1 / _secondsPerByte;
            }
        }
    }

    /// <summary>Seconds that a transfer is expected to take.</summary>
    public double SecondsFor(long byteCount)
    {
        lock (_lock)
        {
            return _latencySeconds + (byteCount * _secondsPerByte);
        }
    }

    /// <summary>A call that moved next to nothing took so long.</summary>
    public void AddRoundTrip(TimeSpan elapsed)
    {
        lock (_lock)
        {
            _latencySeconds += NewShare * (elapsed.TotalSeconds - _latencySeconds);
        }
    }

    /// <summary>A transfer of so many bytes took so long.</summary>
    public void AddTransfer(long byteCount, TimeSpan elapsed)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(byteCount);
        lock (_lock)
        {
            double seconds = elapsed.TotalSeconds;

            // A transfer faster than the latency shows that the latency is less.
            _latencySeconds = Math.Min(_latencySeconds, seconds);
            double perByte = Math.Max(seconds - _latencySeconds, seconds * 0.05) / byteCount;
            _secondsPerByte += NewShare * (perByte - _secondsPerByte);
        }
    }
}
