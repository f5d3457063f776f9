using System.Runtime.InteropServices;
using KvTiers.Silo.Configuration;
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
            await StartAsync(app);
            StopSignal stop = app.Services.GetRequiredService<StopSignal>();
            using PosixSignalRegistration interrupts = PosixSignalRegistration.Create(PosixSignal.SIGINT, _ => stop.Interrupted());
            await app.WaitForShutdownAsync();
            return app.Services.GetRequiredService<ModelHost>().Failure is { } failure ? throw failure : 0;
        }
        catch (StartException e)
        {
            foreach (string line in e.Lines) await Console.Error.WriteLineAsync("kvtiers-silo: " + line);
            return 1;
        }
    }

    private static async Task StartAsync(WebApplication app)
    {
        string urls = string.Join(';', app.Services.GetRequiredService<SiloOptions>().Urls);
        try
        {
            await app.StartAsync();
        }
        catch (IOException e) when (e.InnerException is AddressInUseException)
        {
            throw new StartException($"KvTiers:Urls = '{urls}': the address is in use by another process. Stop that, or listen elsewhere with --urls http://127.0.0.1:PORT.", e);
        }
        catch (Exception e) when (e is IOException or System.Net.Sockets.SocketException or InvalidOperationException or UnauthorizedAccessException)
        {
            throw new StartException($"KvTiers:Urls = '{urls}': cannot listen there ({e.Message})", e);
        }
    }
}
