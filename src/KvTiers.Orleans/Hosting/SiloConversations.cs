using KvTiers.Conversations;
using KvTiers.Orleans.Streaming;
using KvTiers.Sessions.Hosting;

namespace KvTiers.Orleans.Hosting;

/// <summary>Where this silo's grains find the actors. A silo joins the cluster while its model still loads; its grains wait for <see cref="Open"/>.</summary>
public sealed class SiloConversations
{
    private readonly TaskCompletionSource<LocalConversations> _opened = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly IConversations _cluster;
    private int _runningTurns;

    internal SiloConversations(IConversations cluster, Residences residences, OrleansMetrics metrics, TimeProvider time)
    {
        _cluster = cluster;
        Residences = residences;
        Metrics = metrics;
        Time = time;
    }

    /// <summary>Turns of this silo's conversations that somebody still reads, here or elsewhere. Who stops the silo gracefully first waits until there are none.</summary>
    public int RunningTurns => Volatile.Read(ref _runningTurns);

    internal Residences Residences { get; }

    internal OrleansMetrics Metrics { get; }

    internal TimeProvider Time { get; }

    /// <summary>The conversations in this process; null = not yet.</summary>
    internal LocalConversations? Local => _opened.Task.IsCompletedSuccessfully ? _opened.Task.Result : null;

    /// <summary>From now on grains of this silo host conversations in <paramref name="local"/>.</summary>
    /// <returns>The door to the conversations of the whole cluster.</returns>
    /// <exception cref="InvalidOperationException">It was called before.</exception>
    public IConversations Open(LocalConversations local)
    {
        ArgumentNullException.ThrowIfNull(local);
        _opened.SetResult(local);
        Residences.Local = local;
        return _cluster;
    }

    internal ValueTask<LocalConversations> LocalAsync(CancellationToken cancellationToken) =>
        Local is { } local ? new(local) : new(_opened.Task.WaitAsync(cancellationToken));

    internal void TurnBegins() => Interlocked.Increment(ref _runningTurns);

    internal void TurnEnds() => Interlocked.Decrement(ref _runningTurns);
}
