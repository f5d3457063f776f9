namespace KvTiers.Inference.Scheduling;

/// <summary>Places that somebody has, and how fast they are given back.</summary>
/// <remarks>The rate is that of the last half minute or so in which there were any: what was given back and the time both fade exponentially.</remarks>
internal sealed class PlaceHolding(TimeProvider time)
{
    private const double FadingSeconds = 30;
    private static readonly TimeSpan ShortestWait = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestWait = TimeSpan.FromMinutes(10);

    private long _seenAt = time.GetTimestamp();
    private double _given;
    private double _heldSeconds;

    /// <summary>Places held now.</summary>
    public int Count { get; private set; }

    public void Take(int count)
    {
        Fade();
        Count += count;
    }

    public void Give(int count)
    {
        Fade();
        Count -= count;
        _given += count;
    }

    /// <summary>How long it takes, as it went of late, until so many places are given back; 1 s to 10 min. Where none was yet: as long as they have been held.</summary>
    public TimeSpan TimeToGive(int count)
    {
        Fade();
        double seconds = _given > 0.5 ? count * _heldSeconds / _given : _heldSeconds;
        return TimeSpan.FromSeconds(Math.Clamp(seconds, ShortestWait.TotalSeconds, LongestWait.TotalSeconds));
    }

    private void Fade()
    {
        double kept = Math.Exp(-time.GetElapsedTime(_seenAt).TotalSeconds / FadingSeconds);
        _seenAt = time.GetTimestamp();
        _given *= kept;
        _heldSeconds = (_heldSeconds * kept) + (Count > 0 ? FadingSeconds * (1 - kept) : 0);
    }
}
