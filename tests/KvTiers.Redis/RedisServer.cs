using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using KvTiers.Tests.Shared;

namespace KvTiers.Redis.Tests;

/// <summary>A redis-server of one's own, on a private loopback port. Tests and benchmarks use it.</summary>
public sealed class RedisServer : IDisposable
{
    private readonly DirectoryInfo? _folder;
    private Process? _process;

    /// <summary>One that keeps nothing when it ends.</summary>
    public RedisServer()
        : this(keeps: false)
    {
    }

    private RedisServer(bool keeps)
    {
        _folder = keeps ? Directory.CreateTempSubdirectory("kvtiers-redis-") : null;
        Port = TestPorts.Take();
        Start();
    }

    /// <summary>Whether a server can be run here; tests skip and say so otherwise.</summary>
    public static bool IsAvailable { get; } = (Environment.GetEnvironmentVariable("PATH") ?? "")
        .Split(Path.PathSeparator).Any(folder => File.Exists(Path.Combine(folder, "redis-server")));

    /// <summary>Where it listens.</summary>
    public int Port { get; }

    /// <summary>Its address, with the right to clear it.</summary>
    public string Configuration => $"127.0.0.1:{Port},allowAdmin=true";

    /// <summary>One that has what it acknowledged again after <see cref="Kill"/> and <see cref="Start"/>.</summary>
    public static RedisServer StartKeeping() => new(keeps: true);

    /// <summary>Starts it, and waits until it takes connections. Nothing happens where there is none to start.</summary>
    public void Start()
    {
        if (!IsAvailable)
            return;
        string files = _folder is null ? $"--appendonly no --dir {Path.GetTempPath()}" : $"--appendonly yes --appendfsync always --dir {_folder.FullName}";
        _process = Process.Start(new ProcessStartInfo("redis-server", $"--port {Port} --bind 127.0.0.1 --save \"\" {files}")
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
        for (var since = Stopwatch.StartNew(); since.Elapsed < HangLimit.Time && !_process.HasExited;)
        {
            try
            {
                using var probe = new TcpClient();
                probe.Connect(IPAddress.Loopback, Port);
                return;
            }
            catch (SocketException)
            {
                Thread.Sleep(25);
            }
        }

        throw new InvalidOperationException($"redis-server did not answer on port {Port}.");
    }

    /// <summary>Ends it at once.</summary>
    public void Kill()
    {
        _process?.Kill();
        _process?.WaitForExit();
    }

    /// <summary>Hangs the server: it keeps its connections and answers nothing.</summary>
    public void Hang() => Signal("STOP");

    /// <summary>Lets it go on.</summary>
    public void Resume() => Signal("CONT");

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_process is { HasExited: false })
            Kill();
        _process?.Dispose();
        _folder?.Delete(recursive: true);
    }

    private void Signal(string name)
    {
        using Process kill = Process.Start("kill", $"-{name} {_process!.Id}");
        kill.WaitForExit();
    }
}
