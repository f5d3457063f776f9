using KvTiers.Orleans.Hosting;
using KvTiers.Silo.Http;

namespace KvTiers.Silo.Hosting;

/// <summary>Before the silo leaves the cluster, turns that run here may finish within the grace period, whoever asked for them. The server's own requests have ended by then.</summary>
internal sealed partial class TurnDrain(SiloConversations conversations, StopSignal stop, TimeProvider time, ILogger<TurnDrain> logger) : IHostedService
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(20);

    /// <inheritdoc/>
    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        using var over = CancellationTokenSource.CreateLinkedTokenSource(stop.EndTurns, cancellationToken);
        if (conversations.RunningTurns > 0) Draining(logger, conversations.RunningTurns);
        while (conversations.RunningTurns > 0 && !over.IsCancellationRequested)
            await Task.Delay(LookEvery, time, over.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    [LoggerMessage(1, LogLevel.Information, "{Turns} turns run here; they may finish before the silo leaves")]
    private static partial void Draining(ILogger logger, int turns);
}
