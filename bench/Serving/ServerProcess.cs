using System.Diagnostics;
using System.Net;
using System.Runtime.InteropServices;
using System.Text;
using KvTiers.Bench.Reporting;

namespace KvTiers.Bench.Serving;

/// <summary>The built server as a process of its own, on a free port of loopback; stopped when disposed, as Ctrl-C does.</summary>
internal sealed partial class ServerProcess : IAsyncDisposable
{
    private const int Terminate = 15;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly Process _process;
    private readonly DirectoryInfo? _data;
    private readonly StringBuilder _output = new();
    private readonly TaskCompletionSource<Uri> _listening = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private ServerProcess(string model, IReadOnlyList<string> arguments)
    {
        ProcessStartInfo start = new("dotnet") { RedirectStandardOutput = true, RedirectStandardError = true };
        string[] own = [RepositoryRoot.PathOf("silo", "bin", "Release", "net10.0", "kvtiers-silo.dll"), "--urls", "http://127.0.0.1:0", "--model", model];
        foreach (string argument in (string[])[.. own, .. arguments])
            start.ArgumentList.Add(argument);
        if (!arguments.Contains("--data"))
        {
            _data = Directory.CreateTempSubdirectory("kvtiers-server-");
            start.ArgumentList.Add("--data");
            start.ArgumentList.Add(_data.FullName);
        }

        _process = new Process { StartInfo = start, EnableRaisingEvents = true };
        _process.OutputDataReceived += (_, line) => Take(line.Data);
        _process.ErrorDataReceived += (_, line) => Take(line.Data);
        _process.Exited += (_, _) => _listening.TrySetException(new InvalidOperationException("The server ended before it listened."));
        _process.Start();
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    /// <summary>Speaks to the server; it has no time limit of its own.</summary>
    public HttpClient Http { get; } = new() { Timeout = Timeout.InfiniteTimeSpan };

    /// <summary>Starts the server and waits until it is ready.</summary>
    /// <param name="model">The model's folder.</param>
    /// <param name="arguments">More arguments; without <c>--data</c> it has a folder of its own, deleted at the end.</param>
    /// <param name="cancel">Ends the wait.</param>
    /// <exception cref="InvalidOperationException">It ended, or was not ready within a minute; the message has what it wrote.</exception>
    public static async Task<ServerProcess> StartAsync(string model, IReadOnlyList<string> arguments, CancellationToken cancel)
    {
        ServerProcess server = new(model, arguments);
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        deadline.CancelAfter(Patience);
        try
        {
            server.Http.BaseAddress = await server._listening.Task.WaitAsync(deadline.Token);
            while (true)
            {
                using HttpResponseMessage answer = await server.Http.GetAsync("/readyz", deadline.Token);
                if (answer.StatusCode == HttpStatusCode.OK)
                    return server;
                await Task.Delay(2, deadline.Token);
            }
        }
        catch (Exception exception) when (!cancel.IsCancellationRequested)
        {
            await server.DisposeAsync();
            throw new InvalidOperationException($"The server did not become ready. It wrote:\n{server.Output}", exception);
        }
    }

    private string Output
    {
        get
        {
            lock (_output)
                return _output.ToString();
        }
    }

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        if (!_process.HasExited && (OperatingSystem.IsWindows() || Kill(_process.Id, Terminate) != 0))
            _process.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
        _data?.Delete(recursive: true);
    }

    private void Take(string? line)
    {
        const string Listening = "Listening on ";
        if (line is null)
            return;
        lock (_output)
            _output.AppendLine(line);
        int at = line.IndexOf(Listening, StringComparison.Ordinal);
        if (at >= 0)
            _listening.TrySetResult(new Uri(line[(at + Listening.Length)..]));
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Kill(int process, int signal);
}
