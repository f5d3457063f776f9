using System.Collections.Concurrent;
using KvTiers.Orleans.Clients;
using KvTiers.Orleans.Streaming;
using KvTiers.Sessions;
using KvTiers.Sessions.Hosting;

namespace KvTiers.Orleans.Hosting;

/// <summary>Where this silo's grains find the actors. A silo joins the cluster while its model still loads; its grains wait for <see cref="Open"/>.</summary>
public sealed class SiloConversations
{
    private readonly TaskCompletionSource<LocalConversations> _opened = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly ConcurrentDictionary<ConversationKey, Residence> _residences = [];
    private readonly IGrainFactory _grains;
    private int _runningTurns;

    internal SiloConversations(IGrainFactory grains, OrleansMetrics metrics, TimeProvider time)
    {
        _grains = grains;
        Metrics = metrics;
        Time = time;
    }

    /// <summary>Turns of this silo's conversations that somebody still reads, here or elsewhere. Who stops the silo gracefully first waits until there are none.</summary>
    public int RunningTurns => Volatile.Read(ref _runningTurns);

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
        return new ClusterConversations(_grains, this);
    }

    internal ValueTask<LocalConversations> LocalAsync(CancellationToken cancellationToken) =>
        Local is { } local ? new(local) : new(_opened.Task.WaitAsync(cancellationToken));

    /// <summary>Says that the conversation's grain is active here.</summary>
    internal Residence Settle(ConversationKey key) => _residences[key] = new();

    /// <summary>Ends the turns that run here, and gives the conversation's memory up.</summary>
    internal async Task ReleaseAsync(ConversationKey key, Residence residence)
    {
        await residence.CloseAsync().ConfigureAwait(false);
        _residences.TryRemove(new(key, residence));
        Local?.Release(key);
    }

    /// <summary>Where the conversation is active on this silo, if it is.</summary>
    internal Residence? ResidenceOf(ConversationKey key) => Local is null ? null : _residences.GetValueOrDefault(key);

    internal void TurnBegins() => Interlocked.Increment(ref _runningTurns);

    internal void TurnEnds() => Interlocked.Decrement(ref _runningTurns);
}
