using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;
using KvTiers.Tests.Shared;

namespace KvTiers.Silo.Tests;

/// <summary>The built server as a process of its own.</summary>
internal sealed partial class SiloProcess : IAsyncDisposable
{
    private readonly Process _process;
    private readonly StringBuilder _output = new();
    private readonly StringBuilder _errors = new();
    private readonly TaskCompletionSource<Uri> _listening = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private SiloProcess(IEnumerable<string> arguments, string workingDirectory, IReadOnlyDictionary<string, string>? environment, params string[] launcher)
    {
        var start = new ProcessStartInfo(launcher.FirstOrDefault("dotnet"))
        {
            WorkingDirectory = workingDirectory,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        };
        foreach (string argument in launcher.Skip(1)) start.ArgumentList.Add(argument);
        start.ArgumentList.Add(Path.Combine(AppContext.BaseDirectory, "kvtiers-silo.dll"));
        foreach (string argument in arguments) start.ArgumentList.Add(argument);
        foreach ((string name, string value) in environment ?? new Dictionary<string, string>()) start.Environment[name] = value;
        _process = new Process { StartInfo = start, EnableRaisingEvents = true };
        _process.OutputDataReceived += (_, line) => Take(line.Data);
        _process.ErrorDataReceived += (_, line) =>
        {
            if (line.Data is not null) lock (_errors) _errors.AppendLine(line.Data);
        };
        _process.Exited += (_, _) =>
        {
            _listening.TrySetException(new InvalidOperationException("The server ended before it listened."));
            _ready.TrySetException(new InvalidOperationException("The server ended before it was ready."));
        };
        Interrupts.Allow();
        _process.Start();
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    /// <summary>What it has logged.</summary>
    public string Output
    {
        get
        {
            lock (_output) return _output.ToString();
        }
    }

    /// <summary>What it has written to standard error.</summary>
    public string Errors
    {
        get
        {
            lock (_errors) return _errors.ToString();
        }
    }

    /// <summary>Its number.</summary>
    public int ProcessId => _process.Id;

    /// <summary>Speaks to the server.</summary>
    public HttpClient Http { get; } = new() { Timeout = HangLimit.Time };

    /// <summary>Starts the server with exactly these arguments.</summary>
    public static SiloProcess Start(string workingDirectory, params IEnumerable<string> arguments) => new(arguments, workingDirectory, null);

    /// <summary>Starts the server with exactly these arguments and more environment variables.</summary>
    public static SiloProcess Start(string workingDirectory, IReadOnlyDictionary<string, string> environment, params IEnumerable<string> arguments) =>
        new(arguments, workingDirectory, environment);

    /// <summary>Starts the server on a free port, with its data in a folder, and waits until it is ready.</summary>
    public static Task<SiloProcess> StartReadyAsync(string model, string data, params IEnumerable<string> arguments) =>
        StartReadyAsync(model, data, new Dictionary<string, string>(), arguments);

    /// <summary>As above, with more environment variables.</summary>
    public static Task<SiloProcess> StartReadyAsync(string model, string data, IReadOnlyDictionary<string, string> environment, params IEnumerable<string> arguments) =>
        ReadyAsync(new SiloProcess(["--urls", "http://127.0.0.1:0", "--model", model, "--data", data, "--hot", "64MiB", "--threads", "1", .. arguments], data, environment));

    /// <summary>As the first, but a file that would become larger than the process may make one is an error, and not the end of the process.</summary>
    public static Task<SiloProcess> StartReadyWithFileLimitsAsync(string model, string data) =>
        ReadyAsync(new SiloProcess(["--urls", "http://127.0.0.1:0", "--model", model, "--data", data, "--hot", "64MiB", "--threads", "1"], data, null, "bash", "-c", "trap '' XFSZ; exec dotnet \"$@\"", "bash"));

    /// <summary>Starts the server from any folder with its defaults, but for the port, and waits until it is ready.</summary>
    public static Task<SiloProcess> StartElsewhereAsync(string workingDirectory) =>
        ReadyAsync(new SiloProcess(["--urls", "http://127.0.0.1:0"], workingDirectory, null));

    /// <summary>Sends SIGINT, as Ctrl-C does.</summary>
    public void Interrupt() => Assert.Equal(0, Kill(_process.Id, 2));

    /// <summary>Sends SIGTERM, as a service manager does.</summary>
    public void Terminate() => Assert.Equal(0, Kill(_process.Id, 15));

    /// <summary>Sends SIGKILL.</summary>
    public void KillNow() => _process.Kill();

    /// <summary>Waits for the end; the exit code.</summary>
    public async Task<int> WaitForExitAsync()
    {
        using var deadline = new CancellationTokenSource(HangLimit.Time);
        await _process.WaitForExitAsync(deadline.Token);
        return _process.ExitCode;
    }

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        if (!_process.HasExited) _process.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
    }

    private static async Task<SiloProcess> ReadyAsync(SiloProcess silo)
    {
        try
        {
            silo.Http.BaseAddress = await silo._listening.Task.WaitAsync(HangLimit.Time);
            await silo._ready.Task.WaitAsync(HangLimit.Time);
            return silo;
        }
        catch
        {
            await silo.DisposeAsync();
            throw;
        }
    }

    private void Take(string? line)
    {
        if (line is null) return;
        lock (_output) _output.AppendLine(line);
        const string Listening = "Listening on ";
        int at = line.IndexOf(Listening, StringComparison.Ordinal);
        if (at >= 0) _listening.TrySetResult(new Uri(line[(at + Listening.Length)..]));
        if (line.Contains("Ready after", StringComparison.Ordinal)) _ready.TrySetResult();
    }

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int Kill(int process, int signal);
}
