namespace KvTiers.Tiers;

/// <summary>How fast a tier gives blocks: the time to the first byte and the time per byte after it, fitted to the loads that were made.</summary>
/// <remarks>How long a mere question takes is kept apart: it says nothing of reading. Thread-safe.</remarks>
internal sealed class TransferRate
{
    private const double NewShare = 0.25;

    // A tier is taken to be far rather than slow: then more blocks are read at once, and that tells which it is. The other way round nothing would.
    private const double BytesShare = 0.3;

    private readonly Lock _lock = new();
    private readonly CostLine _line;
    private int _questions;
    private double _questionSeconds;
    private double _loadSeconds;
    private double _predictedSeconds;

    /// <summary>Starts from a guess, which the first measurements replace.</summary>
    public TransferRate(double latencySeconds, double bytesPerSecond)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(latencySeconds);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(bytesPerSecond);
        _line = new CostLine(latencySeconds, 1 / bytesPerSecond, BytesShare);
        _questionSeconds = latencySeconds;
    }

    /// <summary>Seconds before the first byte.</summary>
    public double LatencySeconds
    {
        get
        {
            lock (_lock)
                return _line.FixedSeconds;
        }
    }

    /// <summary>Seconds until a question about blocks is answered.</summary>
    public double QuestionSeconds
    {
        get
        {
            lock (_lock)
                return _questionSeconds;
        }
    }

    /// <summary>Bytes a second after the first.</summary>
    public double BytesPerSecond
    {
        get
        {
            lock (_lock)
                return 1 / _line.SecondsPerUnit;
        }
    }

    /// <summary>What all loads took so far, and what was predicted of each just before.</summary>
    public (double Seconds, double Predicted) Loads
    {
        get
        {
            lock (_lock)
                return (_loadSeconds, _predictedSeconds);
        }
    }

    /// <summary>Seconds that loads are expected to take.</summary>
    /// <param name="byteCount">Bytes in all.</param>
    /// <param name="rounds">Loads, one after the other.</param>
    public double SecondsFor(long byteCount, int rounds = 1)
    {
        lock (_lock)
            return ((rounds - 1) * _line.FixedSeconds) + _line.SecondsFor(byteCount);
    }

    /// <summary>Blocks of <paramref name="byteCount"/> to read at once, so that their bytes fill the time that the first one takes to arrive.</summary>
    public int TransfersAtOnce(long byteCount, int atLeast, int atMost)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(byteCount);
        lock (_lock)
            return (int)Math.Clamp(Math.Ceiling(_line.FixedSeconds / (byteCount * _line.SecondsPerUnit)), atLeast, atMost);
    }

    /// <summary>A question took so long.</summary>
    public void AddQuestion(TimeSpan elapsed)
    {
        lock (_lock)
            _questionSeconds += Math.Max(NewShare, 1.0 / ++_questions) * (elapsed.TotalSeconds - _questionSeconds);
    }

    /// <summary>A load of so many bytes, whose blocks were read side by side, took so long.</summary>
    public void AddLoad(long byteCount, TimeSpan elapsed)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(byteCount);
        lock (_lock)
        {
            _loadSeconds += elapsed.TotalSeconds;
            _predictedSeconds += _line.SecondsFor(byteCount);
            _line.Add(byteCount, elapsed.TotalSeconds);
        }
    }
}
