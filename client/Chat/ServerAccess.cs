using System.Diagnostics;
using KvTiers.Cli.Outcomes;
using KvTiers.Cli.Terminals;
using Spectre.Console;

namespace KvTiers.Cli.Chat;

/// <summary>Makes sure that a server answers: the one that is there, or one started for the time of the command.</summary>
/// <param name="probe">Looks at the address.</param>
/// <param name="readyLimit">How long a server may take to be ready.</param>
/// <param name="terminal">Where a spinner turns, and the log is named.</param>
internal sealed class ServerAccess(ServerProbe probe, TimeSpan readyLimit, Terminal terminal)
{
    private readonly Stopwatch _waited = Stopwatch.StartNew();

    /// <returns>The server that was started; <see langword="null"/> when one was there.</returns>
    /// <param name="model">The model for a server that has to be started.</param>
    /// <param name="mayStart">Whether to start one.</param>
    /// <param name="cancellationToken">Ends the wait; a server started meanwhile is stopped.</param>
    /// <exception cref="CliException">There is no server, none can be started, or it is not ready in time; its details say what was tried.</exception>
    public async Task<SiloProcess?> EnsureAsync(string? model, bool mayStart, CancellationToken cancellationToken)
    {
        ServerLook look = await probe.LookAsync(cancellationToken).ConfigureAwait(false);
        switch (look.State)
        {
            case ServerState.Foreign:
                throw Trouble(
                    $"What answers at {probe.Url} is no KvTiers server.", look, null,
                    "give the address of one with --url", "give a free port with --url, such as --url http://127.0.0.1:5081, and a server is started there");
            case ServerState.Absent when !mayStart:
                throw Trouble(
                    $"No server answers at {probe.Url}.", look, null, ServerTrouble.StartCommand(probe.Url), "leave --no-start out, and one is started");
            case ServerState.Absent when !probe.Url.IsLoopback || probe.Url.Scheme != Uri.UriSchemeHttp || probe.Url.AbsolutePath != "/":
                throw Trouble(
                    $"No server answers at {probe.Url}; only one on this machine can be started from here.", look, null,
                    "check the address, and that the server there listens on it (its --urls)", "leave --url out, and one is started on this machine");
            case ServerState.Absent:
                return await StartAsync(model, look, cancellationToken).ConfigureAwait(false);
            default:
                if (model is not null)
                    terminal.WriteErrorNote($"a server answers at {probe.Url} already, with its own model: --model is not used");
                if (look.State == ServerState.NotReady)
                    await WithSpinnerAsync(onStep => WaitAsync(null, onStep, cancellationToken)).ConfigureAwait(false);
                return null;
        }
    }

    private async Task<SiloProcess> StartAsync(string? model, ServerLook look, CancellationToken cancellationToken)
    {
        SiloBuild build = SiloBuild.Find(AppContext.BaseDirectory, Environment.CurrentDirectory) ?? throw Trouble(
            $"No server answers at {probe.Url}, and there is none to start beside this program or in a repository around it.", look, null,
            "run this from the repository's folder", $"start a server there: {ServerTrouble.StartCommand(probe.Url)}");
        SiloProcess? server = null;
        try
        {
            await WithSpinnerAsync(async onStep =>
            {
                server = await SiloProcess.StartAsync(build, probe.Url, model, onStep, cancellationToken).ConfigureAwait(false);
                _waited.Restart();
                await WaitAsync(server, onStep, cancellationToken).ConfigureAwait(false);
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

    private Task WaitAsync(SiloProcess? server, Action<string> onStep, CancellationToken cancellationToken)
    {
        string? told = null;
        if (server is null)
            onStep("waiting for the server");
        return probe.WaitUntilReadyAsync(
            look =>
            {
                if (server?.ExitReason() is { } reason)
                    throw Trouble($"The server ended with {reason}", look, server.LogPath, ByHand(server));
                if (_waited.Elapsed > readyLimit)
                {
                    throw Trouble(
                        $"The server at {probe.Url} was not ready after {readyLimit.TotalSeconds:0} s.", look, server?.LogPath,
                        $"wait longer: --wait {2 * readyLimit.TotalSeconds:0}", ByHand(server));
                }

                // A port that nobody listens on yet says nothing of a server that was just started.
                if (look.State == ServerState.NotReady && look.Words != told)
                    onStep($"waiting for the server: {told = look.Words}");
            },
            cancellationToken);
    }

    private string ByHand(SiloProcess? server) =>
        server is null ? $"ask it: curl -s {probe.ReadyUrl}" : $"start it by hand, and read what it says: {server.Command}";

    private CliException Trouble(string message, ServerLook look, string? log, params IEnumerable<string> advice) =>
        ServerTrouble.Tell(message, probe, _waited.Elapsed, look, log, advice);

    private Task WithSpinnerAsync(Func<Action<string>, Task> work) => terminal.ErrorStyled
        ? terminal.ErrorConsole.Status().StartAsync("looking for the server", status => work(step => status.Status = Markup.Escape(step)))
        : work(terminal.WriteErrorNote);
}
