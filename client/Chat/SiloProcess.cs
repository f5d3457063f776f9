using System.ComponentModel;
using System.Diagnostics;
using System.Runtime.InteropServices;
using KvTiers.Cli.Outcomes;

namespace KvTiers.Cli.Chat;

/// <summary>A server that this program started, and stops at the end.</summary>
internal sealed partial class SiloProcess : IAsyncDisposable
{
    private const int TerminateSignal = 15;
    private static readonly TimeSpan StopLimit = TimeSpan.FromSeconds(30);

    private readonly Process _process;
    private readonly Task _copyOutput;
    private readonly FileStream _log;

    private SiloProcess(Process process, FileStream log)
    {
        _process = process;
        _log = log;
        _copyOutput = Task.WhenAll(CopyAsync(process.StandardOutput.BaseStream), CopyAsync(process.StandardError.BaseStream));
    }

    /// <summary>What started it, as a shell takes it.</summary>
    public string Command => string.Join(' ', [ShellText.Quote(_process.StartInfo.FileName), .. _process.StartInfo.ArgumentList.Select(ShellText.Quote)]);

    /// <summary>Where its output goes.</summary>
    public string LogPath => _log.Name;

    /// <summary>Builds the server first where that is needed.</summary>
    /// <param name="build">What to start.</param>
    /// <param name="url">Where it shall listen.</param>
    /// <param name="model">Its model folder; <see langword="null"/> = the server's default.</param>
    /// <param name="onStep">Told what goes on.</param>
    /// <param name="cancellationToken">Ends the build.</param>
    /// <exception cref="CliException">The build failed.</exception>
    public static async Task<SiloProcess> StartAsync(
        SiloBuild build, Uri url, string? model, Action<string> onStep, CancellationToken cancellationToken)
    {
        string logPath = Path.Combine(Path.GetTempPath(), $"kvtiers-silo-{Environment.ProcessId}-{Path.GetRandomFileName()[..4]}.log");
        var log = new FileStream(logPath, FileMode.CreateNew, FileAccess.Write, FileShare.Read);
        if (build.Project is { } project)
        {
            onStep("building the server");
            await using var builder = new SiloProcess(Launch(build.WorkingDirectory, ["build", project, "-c", "Release", "--nologo", "-v", "q"]), log);
            await builder._process.WaitForExitAsync(cancellationToken).ConfigureAwait(false);
            await builder._copyOutput.ConfigureAwait(false);
            if (builder._process.ExitCode != 0)
                throw new CliException($"The server could not be built; {logPath} says why.");
            log = new FileStream(logPath, FileMode.Append, FileAccess.Write, FileShare.Read);
        }

        onStep("starting the server");
        List<string> arguments = [build.Assembly, "--urls", url.GetLeftPart(UriPartial.Authority)];
        if (model is not null)
            arguments.AddRange(["--model", Directory.Exists(model) ? Path.GetFullPath(model) : model]);
        return new SiloProcess(Launch(build.WorkingDirectory, arguments), log);
    }

    /// <summary>How the server has ended by itself, and the last it said; <see langword="null"/> while it runs.</summary>
    public string? ExitReason()
    {
        if (!_process.HasExited)
            return null;
        _copyOutput.Wait(StopLimit);
        _log.Flush();
        string reason = File.ReadLines(LogPath).LastOrDefault(line => !string.IsNullOrWhiteSpace(line))?.Trim() ?? "it said nothing";
        return $"exit code {_process.ExitCode}: {reason} (log: {LogPath})";
    }

    /// <summary>Asks the server to end in order, and ends it by force past a limit.</summary>
    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            AskToEnd();
            using var limit = new CancellationTokenSource(StopLimit);
            try
            {
                await _process.WaitForExitAsync(limit.Token).ConfigureAwait(false);
            }
            catch (OperationCanceledException)
            {
                _process.Kill(entireProcessTree: true);
            }
        }

        await _copyOutput.ConfigureAwait(false);
        await _log.DisposeAsync().ConfigureAwait(false);
        _process.Dispose();
    }

    private static Process Launch(string workingDirectory, IEnumerable<string> arguments)
    {
        var start = new ProcessStartInfo(Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet", arguments)
        {
            WorkingDirectory = workingDirectory,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        try
        {
            Process process = Process.Start(start)!;
            process.StandardInput.Close();
            return process;
        }
        catch (Win32Exception exception)
        {
            throw new CliException($"{start.FileName} cannot be run: {exception.Message}", exception);
        }
    }

    private async Task CopyAsync(Stream output)
    {
        byte[] buffer = new byte[4096];
        int count;
        while ((count = await output.ReadAsync(buffer).ConfigureAwait(false)) > 0)
        {
            lock (_log)
            {
                _log.Write(buffer.AsSpan(0, count));
                _log.Flush();
            }
        }
    }

    private void AskToEnd()
    {
        if (OperatingSystem.IsWindows() || Signal(_process.Id, TerminateSignal) != 0)
            _process.Kill(entireProcessTree: true);
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Signal(int processId, int signal);
}
