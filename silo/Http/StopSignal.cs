using KvTiers.Silo.Configuration;

namespace KvTiers.Silo.Http;

/// <summary>Tells requests that the server stops: first that no new turn may begin, and after the grace period that running ones must end.</summary>
internal sealed class StopSignal : IDisposable
{
    // Never disposed: a Ctrl-C may come while the process ends.
    private readonly CancellationTokenSource _endTurns = new();
    private readonly CancellationTokenRegistration _stopping;
    private readonly ITimer _grace;
    private volatile bool _isStopping;
    private int _interrupts;

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

    /// <summary>
    /// Notes a Ctrl-C. The first one is the host's to follow; one more, or one while the server stops already, ends the grace period now. They are counted,
    /// because each comes on a thread of its own: the second may be here before the first has reached the host.
    /// </summary>
    public void Interrupted()
    {
        if (Interlocked.Increment(ref _interrupts) == 1 && !_isStopping) return;
        _isStopping = true;
        _endTurns.Cancel();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _stopping.Dispose();
        _grace.Dispose();
    }
}
