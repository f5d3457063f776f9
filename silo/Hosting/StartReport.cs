using KvTiers.Silo.Configuration;
using KvTiers.Silo.Http;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http.Features;

namespace KvTiers.Silo.Hosting;

/// <summary>Logs where the server listens and what it keeps where, once it does; and that it stops.</summary>
internal sealed partial class StartReport(
    SiloOptions options, ApiKeys keys, IServer server, StopSignal stop, IHostApplicationLifetime lifetime, ILogger<StartReport> logger) : IHostedService
{
    /// <inheritdoc/>
    public Task StartAsync(CancellationToken cancellationToken)
    {
        lifetime.ApplicationStarted.Register(() =>
        {
            foreach (string url in server.Features.GetRequiredFeature<IServerAddressesFeature>().Addresses) Listening(logger, url);
            Keeping(logger, options.Store == StoreKind.Redis ? "on Redis" : $"in {options.Data}", keys.Required ? "API keys required" : "no API keys: one tenant, loopback only");
        });
        lifetime.ApplicationStopping.Register(() => Stopping(logger, options.StopGrace.TotalSeconds));
        stop.EndTurns.Register(() => GraceOver(logger));
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    [LoggerMessage(1, LogLevel.Information, "Listening on {Url}")]
    private static partial void Listening(ILogger logger, string url);

    [LoggerMessage(2, LogLevel.Information, "Conversations {Place}; {Access}")]
    private static partial void Keeping(ILogger logger, string place, string access);

    [LoggerMessage(3, LogLevel.Information, "Stopping: running turns may finish for {Seconds} s; a second Ctrl-C ends them")]
    private static partial void Stopping(ILogger logger, double seconds);

    [LoggerMessage(4, LogLevel.Information, "The grace period is over: ending the turns that still run")]
    private static partial void GraceOver(ILogger logger);
}
