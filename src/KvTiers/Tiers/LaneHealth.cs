namespace KvTiers.Tiers;

/// <summary>Whether a tier keeps pace. One that does not is left alone at once, and tried again by itself until it is well.</summary>
/// <remarks>
/// Full: a block waited for room in vain. Blocks are declined until the queue is half empty. Late: a call took longer than it may. Nothing is asked of
/// the tier until a probe, made aside, is answered in time; the probes come less and less often while the tier stays late. Thread-safe.
/// </remarks>
internal sealed class LaneHealth : IDisposable
{
    private static readonly TimeSpan FirstProbe = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LastProbe = TimeSpan.FromSeconds(30);

    private readonly Lock _lock = new();
    private readonly TimeProvider _time;
    private readonly Func<Task<bool>> _probe;
    private readonly ITimer _timer;
    private TimeSpan _delay = FirstProbe;
    private long _wellSince;
    private volatile bool _isFull;
    private volatile bool _isLate;

    /// <summary>Starts well.</summary>
    /// <param name="time">The clock.</param>
    /// <param name="probe">Asks the tier something; true when it answered in time. Throws nothing.</param>
    public LaneHealth(TimeProvider time, Func<Task<bool>> probe)
    {
        _time = time;
        _probe = probe;
        _timer = time.CreateTimer(_ => _ = ProbeAsync(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Whether the tier may be asked for blocks.</summary>
    public bool MayAsk => !_isLate;

    /// <summary>Whether the tier may be given blocks.</summary>
    public bool MayOffer => !_isFull && !_isLate;

    /// <summary>A block waited for room in vain.</summary>
    public void Full() => _isFull = true;

    /// <summary>The queue is half empty.</summary>
    public void HasRoom() => _isFull = false;

    /// <summary>A call took longer than it may.</summary>
    public void Late()
    {
        lock (_lock)
        {
            if (_isLate)
                return;
            _isLate = true;

            // Late again so soon: it was not well.
            _delay = _wellSince == 0 || _time.GetElapsedTime(_wellSince) > 2 * _delay ? FirstProbe : Longer();
            _timer.Change(_delay, Timeout.InfiniteTimeSpan);
        }
    }

    /// <summary>Ends the probes.</summary>
    public void Dispose() => _timer.Dispose();

    private async Task ProbeAsync()
    {
        bool answered = await _probe().ConfigureAwait(false);
        lock (_lock)
        {
            if (answered)
            {
                _isLate = false;
                _wellSince = _time.GetTimestamp();
                return;
            }

            _delay = Longer();
            _timer.Change(_delay, Timeout.InfiniteTimeSpan);
        }
    }

    private TimeSpan Longer() => _delay * 2 < LastProbe ? _delay * 2 : LastProbe;
}
