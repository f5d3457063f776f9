using System.Runtime.InteropServices;
using KvTiers.Sessions.Secrets;
using KvTiers.Silo.Configuration;
using KvTiers.Silo.Http;
using KvTiers.Silo.Models;
using Microsoft.AspNetCore.Connections;

namespace KvTiers.Silo.Hosting;

/// <summary>The process from its arguments to its exit code: 0 after a clean stop, 1 when it could not start.</summary>
internal static class SiloProgram
{
    /// <summary>Runs the server until it is stopped.</summary>
    public static async Task<int> RunAsync(string[] args)
    {
        try
        {
            CommandLine commandLine = CommandLine.Parse(args);
            if (commandLine.HelpWanted)
            {
                await Console.Out.WriteAsync(CommandLine.Help());
                return 0;
            }

            await using WebApplication app = SiloApplication.Create(commandLine);
            if (await TryStartAsync(app))
            {
                StopSignal stop = app.Services.GetRequiredService<StopSignal>();
                using PosixSignalRegistration interrupts = PosixSignalRegistration.Create(PosixSignal.SIGINT, _ => stop.Interrupted());
                await app.WaitForShutdownAsync();
            }

            return app.Services.GetRequiredService<ModelHost>().Failure is { } failure ? throw failure : 0;
        }
        catch (StartException e)
        {
            foreach (string line in e.Lines) await Console.Error.WriteLineAsync("kvtiers-silo: " + line);
            return 1;
        }
    }

    // False: it was stopped while it started, by the operator or by a model that cannot be loaded.
    private static async Task<bool> TryStartAsync(WebApplication app)
    {
        try
        {
            await app.StartAsync();
            return true;
        }
        catch (Exception e)
        {
            bool wasStopped = app.Lifetime.ApplicationStopping.IsCancellationRequested;
            await StopWhatRunsAsync(app);
            if (wasStopped) return false;
            if (Refusal(e, app.Services.GetRequiredService<SiloOptions>()) is { } refusal) throw refusal;
            throw;
        }
    }

    // The services start side by side: when one fails, the silo may run already, and would go on while what it uses is disposed.
    private static async Task StopWhatRunsAsync(WebApplication app)
    {
        try
        {
            await app.StopAsync();
        }
        catch (Exception e) when (e is OrleansException or AggregateException or OperationCanceledException or InvalidOperationException)
        {
            // Why it could not start is what is told.
        }
    }

    private static StartException? Refusal(Exception failure, SiloOptions options)
    {
        string urls = string.Join(';', options.Urls);
        return failure switch
        {
            OrleansException or StackExchange.Redis.RedisException or TimeoutException when options.Orleans.Cluster is not null =>
                new StartException(
                    $"KvTiers:Cluster: no silo can start by way of the Redis server given ({Redacted.Message(failure.Message, options.Orleans.Cluster)})",
                    Redacted.Inner(failure, options.Orleans.Cluster)),
            IOException { InnerException: AddressInUseException } =>
                new StartException($"KvTiers:Urls = '{urls}': the address is in use by another process. Stop that, or listen elsewhere with --urls http://127.0.0.1:PORT.", failure),
            IOException or System.Net.Sockets.SocketException or InvalidOperationException or UnauthorizedAccessException =>
                new StartException($"KvTiers:Urls = '{urls}': cannot listen there ({failure.Message})", failure),
            _ => null,
        };
    }
}
