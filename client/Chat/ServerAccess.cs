using KvTiers.Cli.Outcomes;
using KvTiers.Cli.Terminals;
using Spectre.Console;

namespace KvTiers.Cli.Chat;

/// <summary>Makes sure that a server answers: the one that is there, or one started for the time of the command.</summary>
internal static class ServerAccess
{
    private static readonly TimeSpan ReadyLimit = TimeSpan.FromMinutes(2);

    /// <returns>The server that was started; <see langword="null"/> when one was there.</returns>
    /// <param name="probe">Looks at the address.</param>
    /// <param name="model">The model for a server that has to be started.</param>
    /// <param name="mayStart">Whether to start one.</param>
    /// <param name="terminal">Where a spinner turns, and the log is named.</param>
    /// <param name="cancellationToken">Ends the wait; a server started meanwhile is stopped.</param>
    /// <exception cref="CliException">There is no server, and none can be started.</exception>
    public static async Task<SiloProcess?> EnsureAsync(
        ServerProbe probe, string? model, bool mayStart, Terminal terminal, CancellationToken cancellationToken)
    {
        switch (await probe.LookAsync(cancellationToken).ConfigureAwait(false))
        {
            case ServerState.Foreign:
                throw new CliException($"What answers at {probe.Url} is no KvTiers server.");
            case ServerState.Absent when !mayStart:
                throw new CliException($"No server answers at {probe.Url}.");
            case ServerState.Absent when !probe.Url.IsLoopback || probe.Url.Scheme != Uri.UriSchemeHttp || probe.Url.AbsolutePath != "/":
                throw new CliException($"No server answers at {probe.Url}; only one on this machine can be started from here.");
            case ServerState.Absent:
                return await StartAsync(probe, model, terminal, cancellationToken).ConfigureAwait(false);
            case var found:
                if (model is not null)
                    terminal.WriteErrorNote($"a server answers at {probe.Url} already, with its own model: --model is not used");
                if (found == ServerState.NotReady)
                {
                    await WithSpinnerAsync(terminal, onStep =>
                    {
                        onStep("waiting for the server");
                        return WaitAsync(probe, null, cancellationToken);
                    }).ConfigureAwait(false);
                }

                return null;
        }
    }

    private static async Task<SiloProcess> StartAsync(ServerProbe probe, string? model, Terminal terminal, CancellationToken cancellationToken)
    {
        SiloBuild build = SiloBuild.Find(AppContext.BaseDirectory, Environment.CurrentDirectory)
            ?? throw new CliException($"No server answers at {probe.Url}, and there is none to start beside this program or in a repository around it.");
        SiloProcess? server = null;
        try
        {
            await WithSpinnerAsync(terminal, async onStep =>
            {
                server = await SiloProcess.StartAsync(build, probe.Url, model, onStep, cancellationToken).ConfigureAwait(false);
                await WaitAsync(probe, server, cancellationToken).ConfigureAwait(false);
            }).ConfigureAwait(false);
            terminal.WriteErrorNote($"started a server at {probe.Url}, log in {server!.LogPath}");
            return server;
        }
        catch
        {
            if (server is not null)
                await server.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    private static Task WaitAsync(ServerProbe probe, SiloProcess? server, CancellationToken cancellationToken)
    {
        DateTime end = DateTime.UtcNow + ReadyLimit;
        return probe.WaitUntilReadyAsync(
            () =>
            {
                server?.ThrowIfEnded();
                if (DateTime.UtcNow > end)
                    throw new CliException($"The server at {probe.Url} was not ready after {ReadyLimit.TotalSeconds:0} s.");
            },
            cancellationToken);
    }

    private static Task WithSpinnerAsync(Terminal terminal, Func<Action<string>, Task> work) => terminal.ErrorStyled
        ? terminal.ErrorConsole.Status().StartAsync("looking for the server", status => work(step => status.Status = step))
        : work(terminal.WriteErrorNote);
}
