using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace KvTiers.Redis.Tests;

/// <summary>A redis-server of the test's own, on a private loopback port, without persistence.</summary>
public sealed class RedisServer : IDisposable
{
    private Process? _process;

    public RedisServer()
    {
        Port = FreePort();
        Start();
    }

    /// <summary>Whether a server can be run here; tests skip and say so otherwise.</summary>
    public static bool IsAvailable { get; } = (Environment.GetEnvironmentVariable("PATH") ?? "")
        .Split(Path.PathSeparator).Any(folder => File.Exists(Path.Combine(folder, "redis-server")));

    public int Port { get; }

    public string Configuration => $"127.0.0.1:{Port},allowAdmin=true";

    public void Start()
    {
        if (!IsAvailable)
        {
            return;
        }

        _process = Process.Start(new ProcessStartInfo("redis-server", $"--port {Port} --bind 127.0.0.1 --save \"\" --appendonly no --dir {Path.GetTempPath()}")
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
        for (int attempt = 0; attempt < 200; attempt++)
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

    public void Kill()
    {
        _process?.Kill();
        _process?.WaitForExit();
    }

    /// <summary>Hangs the server: it keeps its connections and answers nothing.</summary>
    public void Hang() => Signal("STOP");

    public void Resume() => Signal("CONT");

    public void Dispose()
    {
        if (_process is { HasExited: false })
        {
            Kill();
        }

        _process?.Dispose();
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private void Signal(string name)
    {
        using Process kill = Process.Start("kill", $"-{name} {_process!.Id}");
        kill.WaitForExit();
    }
}
