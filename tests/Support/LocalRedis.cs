using System.Diagnostics;
using System.Text;

namespace KvTiers.Tests.Support;

/// <summary><c>redis-server</c> from the path, as a process of this machine.</summary>
internal sealed class LocalRedis(string arguments) : IRedisHost
{
    private readonly StringBuilder _said = new();
    private Process? _process;

    /// <summary>Whether there is one.</summary>
    public static bool IsOnPath { get; } = (Environment.GetEnvironmentVariable("PATH") ?? "")
        .Split(Path.PathSeparator).Any(folder => File.Exists(Path.Combine(folder, "redis-server")));

    public void Start()
    {
        _process?.Dispose();
        _process = new Process
        {
            StartInfo = new ProcessStartInfo("redis-server", arguments) { RedirectStandardOutput = true, RedirectStandardError = true },
        };
        _process.OutputDataReceived += (_, line) => Take(line.Data);
        _process.ErrorDataReceived += (_, line) => Take(line.Data);
        _process.Start();
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    public void Kill()
    {
        if (_process is not { HasExited: false })
            return;
        _process.Kill();
        _process.WaitForExit();
    }

    public void Hang() => Signal("STOP");

    public void Resume() => Signal("CONT");

    public string Said()
    {
        lock (_said)
            return _said.ToString();
    }

    public void Dispose()
    {
        Kill();
        _process?.Dispose();
    }

    private void Take(string? line)
    {
        lock (_said)
            _said.AppendLine(line);
    }

    private void Signal(string name)
    {
        using Process kill = Process.Start("kill", $"-{name} {_process!.Id}");
        kill.WaitForExit();
    }
}
