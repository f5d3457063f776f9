namespace KvTiers.Orleans.Tests.Streaming;

/// <summary>A clock that moves when told, durations included.</summary>
internal sealed class SteppedTime : TimeProvider
{
    private readonly ManualTime _clock = new();

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override long GetTimestamp() => _clock.GetUtcNow().Ticks;

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) => _clock.CreateTimer(callback, state, dueTime, period);

    public void Advance(TimeSpan time) => _clock.Advance(time);

    public Task UntilAwaitedAsync(TimeSpan time) => _clock.UntilAwaitedAsync(time);
}
