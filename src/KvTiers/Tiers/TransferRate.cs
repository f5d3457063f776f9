namespace KvTiers.Tiers;

/// <summary>How fast a tier answers: moving averages of the time to the first byte and of the time per byte after it.</summary>
/// <remarks>
/// Thread-safe. The first figure replaces the guess, the next ones count as much as all before them, and later a new figure
/// counts for a quarter, so that a change shows after a few transfers.
/// </remarks>
public sealed class TransferRate
{
    private const double NewShare = 0.25;

    // A transfer that took hardly longer than a round trip says only that the bytes took next to nothing.
    private const double LeastShare = 0.05;

    // A transfer that took no time at all says nothing.
    private const double LeastSecondsPerByte = 1e-13;

    private readonly Lock _lock = new();
    private int _roundTrips;
    private int _transfers;
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
    /// <param name="byteCount">Bytes in all.</param>
    /// <param name="rounds">Times that somebody waits for the first byte.</param>
    public double SecondsFor(long byteCount, int rounds = 1)
    {
        lock (_lock)
        {
            return (rounds * _latencySeconds) + (byteCount * _secondsPerByte);
        }
    }

    /// <summary>Transfers of <paramref name="byteCount"/> to have under way at once, so that their bytes fill the time that the first one takes to arrive.</summary>
    public int TransfersAtOnce(long byteCount, int atLeast, int atMost)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(byteCount);
        lock (_lock)
        {
            return (int)Math.Clamp(Math.Ceiling(_latencySeconds / (byteCount * _secondsPerByte)), atLeast, atMost);
        }
    }

    /// <summary>A call that moved next to nothing took so long.</summary>
    public void AddRoundTrip(TimeSpan elapsed)
    {
        lock (_lock)
        {
            _latencySeconds += Math.Max(NewShare, 1.0 / ++_roundTrips) * (elapsed.TotalSeconds - _latencySeconds);
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
            double perByte = (seconds - _latencySeconds) / byteCount, most = Math.Max(LeastSecondsPerByte, LeastShare * seconds / byteCount);
            if (perByte < most)
            {
                _secondsPerByte = Math.Min(_secondsPerByte, most);
                return;
            }

            _secondsPerByte += Math.Max(NewShare, 1.0 / ++_transfers) * (perByte - _secondsPerByte);
        }
    }
}
