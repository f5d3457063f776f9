using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace KvTiers.Bench.Redis;

/// <summary>A <c>redis-server</c> of the benchmark's own, as a process on a free port of loopback. It keeps nothing.</summary>
internal sealed class RedisProcess : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private readonly Process _process;

    /// <summary>Starts it, and returns when it takes connections.</summary>
    /// <exception cref="InvalidOperationException">It does not.</exception>
    public RedisProcess()
    {
        Port = FreePort();
        _process = Process.Start(new ProcessStartInfo("redis-server", $"--port {Port} --bind 127.0.0.1 --save \"\" --appendonly no --dir {Path.GetTempPath()}")
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
        for (var waited = Stopwatch.StartNew(); !Listens();)
        {
            if (_process.HasExited || waited.Elapsed > Patience)
            {
                Dispose();
                throw new InvalidOperationException($"redis-server did not come up on port {Port}.");
            }

            Thread.Sleep(25);
        }
    }

    /// <summary>Whether one can be started here.</summary>
    public static bool IsAvailable { get; } = (Environment.GetEnvironmentVariable("PATH") ?? "")
        .Split(Path.PathSeparator).Any(folder => File.Exists(Path.Combine(folder, "redis-server")));

    /// <summary>Where it listens.</summary>
    public int Port { get; }

    /// <summary>Its address, with the right to clear it.</summary>
    public string Configuration => $"127.0.0.1:{Port},allowAdmin=true";

    /// <summary>Ends it.</summary>
    public void Dispose()
    {
        if (!_process.HasExited)
            _process.Kill();
        _process.WaitForExit();
        _process.Dispose();
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private bool Listens()
    {
        try
        {
            using var probe = new TcpClient();
            probe.Connect(IPAddress.Loopback, Port);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
