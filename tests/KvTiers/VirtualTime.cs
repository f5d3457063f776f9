namespace KvTiers.Tests;

/// <summary>A clock with timers, both of which move when told: what waits on it waits for <see cref="Advance"/>.</summary>
internal sealed class VirtualTime : TimeProvider
{
    private readonly Lock _lock = new();
    private readonly List<Timer> _timers = [];
    private TimeSpan _now;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    /// <summary>Timers that are set: waits that are under way, and what repeats.</summary>
    public int Waiting
    {
        get
        {
            lock (_lock)
                return _timers.Count(timer => timer.Due is not null);
        }
    }

    public override long GetTimestamp()
    {
        lock (_lock)
            return _now.Ticks;
    }

    public override DateTimeOffset GetUtcNow() => new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero).AddTicks(GetTimestamp());

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new Timer(this, () => callback(state));
        lock (_lock)
            _timers.Add(timer);
        timer.Change(dueTime, period);
        return timer;
    }

    /// <summary>Moves on, and calls every timer that is due on the way, each at its time.</summary>
    public void Advance(TimeSpan time)
    {
        TimeSpan end;
        lock (_lock)
            end = _now + time;
        while (true)
        {
            Timer? first;
            lock (_lock)
            {
                first = _timers.Where(timer => timer.Due <= end).MinBy(timer => timer.Due);
                _now = first is null ? end : first.Due > _now ? first.Due!.Value : _now;
                first?.Next();
            }

            if (first is null)
                return;
            first.Call();
        }
    }

    private sealed class Timer(VirtualTime time, Action call) : ITimer
    {
        private TimeSpan _period = Timeout.InfiniteTimeSpan;

        public TimeSpan? Due { get; private set; }

        public void Call() => call();

        public void Next() => Due = _period > TimeSpan.Zero ? Due + _period : null;

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            lock (time._lock)
            {
                _period = period;
                Due = dueTime == Timeout.InfiniteTimeSpan ? null : time._now + dueTime;
                return true;
            }
        }

        public void Dispose()
        {
            lock (time._lock)
                time._timers.Remove(this);
        }

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
