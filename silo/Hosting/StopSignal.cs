using KvTiers.Silo.Configuration;

namespace KvTiers.Silo.Hosting;

/// <summary>Tells requests that the server stops: first that no new turn may begin, and after the grace period that running ones must end.</summary>
internal sealed class StopSignal : IDisposable
{
    private readonly CancellationTokenSource _endTurns = new();
    private readonly CancellationTokenRegistration _stopping;
    private readonly ITimer _grace;
    private volatile bool _isStopping;

    /// <summary>Follows the application's lifetime.</summary>
    public StopSignal(IHostApplicationLifetime lifetime, SiloOptions options, TimeProvider time)
    {
        _grace = time.CreateTimer(_ => _endTurns.Cancel(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _stopping = lifetime.ApplicationStopping.Register(() =>
        {
            _isStopping = true;
            _grace.Change(options.StopGrace, Timeout.InfiniteTimeSpan);
        });
    }

    /// <summary>True once a stop was asked for.</summary>
    public bool IsStopping => _isStopping;

    /// <summary>Cancelled when the grace period is over.</summary>
    public CancellationToken EndTurns => _endTurns.Token;

    /// <summary>Ends the grace period now: the operator asked twice.</summary>
    public void EndGrace() => _endTurns.Cancel();

    /// <inheritdoc/>
    public void Dispose()
    {
        _stopping.Dispose();
        _grace.Dispose();
        _endTurns.Dispose();
    }
}
