using KvTiers.Silo.Http;
using KvTiers.Silo.Limits;

namespace KvTiers.Silo.Hosting;

/// <summary>Tells the other servers of the conversation store what this one has in work, while it runs.</summary>
internal sealed class FleetTalk(Fleet fleet, FleetRedis redis, TurnGate gate) : IHostedService
{
    private Task _talking = Task.CompletedTask;

    /// <inheritdoc/>
    public Task StartAsync(CancellationToken cancellationToken)
    {
        _ = redis.ConnectAsync();
        _talking = Task.Run(() => fleet.RunAsync(() => gate.RunningByTenant), CancellationToken.None);
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public Task StopAsync(CancellationToken cancellationToken)
    {
        fleet.Dispose();
        return _talking;
    }
}
