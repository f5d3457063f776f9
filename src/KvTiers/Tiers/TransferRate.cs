namespace KvTiers.Tiers;

/// <summary>How fast a tier gives blocks: the time to the first byte and the time per byte after it, fitted to the loads that were made.</summary>
/// <remarks>
/// A line through what loads took, of whatever sizes: seconds = latency + bytes × seconds per byte. Each load moves the line towards itself, by as much
/// as the line is unsure there (a Kalman filter of two states). So what was measured is predicted, and a small load says little of how long a large one
/// takes. The first load replaces the guess, and a change shows after a few. How long a mere question takes is kept apart: it says nothing of reading.
/// Thread-safe.
/// </remarks>
internal sealed class TransferRate
{
    // Relative to what a load takes: how much it differs from the next one by chance, and how much the tier changes from one to the next.
    private const double Noise = 0.2;
    private const double Drift = 0.12;

    // One load that was held up by something else does not spoil the line for long.
    private const double MostAtOnce = 8;

    private const double NewShare = 0.25;
    private const double LeastSecondsPerByte = 1e-13;

    private readonly Lock _lock = new();
    private int _questions;
    private int _loads;
    private double _questionSeconds;
    private double _latency;
    private double _perByte;

    // What the line is unsure of: variances of its two numbers, and how they go together.
    private double _latencyVariance;
    private double _perByteVariance;
    private double _covariance;
    private double _loadSeconds;
    private double _predictedSeconds;

    /// <summary>Starts from a guess, which the first measurements replace.</summary>
    public TransferRate(double latencySeconds, double bytesPerSecond)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(latencySeconds);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(bytesPerSecond);
        _latency = _questionSeconds = latencySeconds;
        _perByte = 1 / bytesPerSecond;
    }

    /// <summary>Seconds before the first byte.</summary>
    public double LatencySeconds
    {
        get
        {
            lock (_lock)
                return _latency;
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
                return 1 / _perByte;
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
            return (rounds * _latency) + (byteCount * _perByte);
    }

    /// <summary>Blocks of <paramref name="byteCount"/> to read at once, so that their bytes fill the time that the first one takes to arrive.</summary>
    public int TransfersAtOnce(long byteCount, int atLeast, int atMost)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(byteCount);
        lock (_lock)
            return (int)Math.Clamp(Math.Ceiling(_latency / (byteCount * _perByte)), atLeast, atMost);
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
            double bytes = byteCount, expected = _latency + (bytes * _perByte);
            _loadSeconds += elapsed.TotalSeconds;
            _predictedSeconds += expected;
            double seconds = _loads++ == 0 ? elapsed.TotalSeconds : Math.Min(elapsed.TotalSeconds, MostAtOnce * expected);
            double scale = Math.Max(Math.Max(seconds, expected), 1e-9);
            double drift = _loads == 1 ? scale : Drift * scale, noise = _loads == 1 ? 0 : Noise * scale;
            _latencyVariance += drift * drift;
            _perByteVariance += drift * drift / (bytes * bytes);
            double alongLatency = _latencyVariance + (bytes * _covariance), alongBytes = _covariance + (bytes * _perByteVariance);
            double total = alongLatency + (bytes * alongBytes) + (noise * noise);
            Move(bytes, alongLatency / total * (seconds - expected), alongBytes / total * (seconds - expected));
            _latencyVariance -= alongLatency * alongLatency / total;
            _covariance -= alongLatency * alongBytes / total;
            _perByteVariance -= alongBytes * alongBytes / total;
            Bound(scale);
        }
    }

    // Neither number is ever negative; then the other takes all.
    private void Move(double bytes, double latency, double perByte)
    {
        double there = _latency + latency + (bytes * (_perByte + perByte));
        _latency = Math.Max(0, _latency + latency);
        _perByte = Math.Max(LeastSecondsPerByte, (there - _latency) / bytes);
        _latency = Math.Max(0, there - (bytes * _perByte));
    }

    // Loads of one size alone leave the line ever less sure of other sizes. It stays surer than of nothing.
    private void Bound(double scale)
    {
        double most = scale * scale;
        if (_latencyVariance <= most)
            return;
        double share = most / _latencyVariance;
        _latencyVariance *= share;
        _covariance *= share;
        _perByteVariance *= share;
    }
}
