using System.Diagnostics;
using KvTiers.Client;
using KvTiers.Tests.Shared;

namespace KvTiers.Cluster.Tests;

/// <summary>Three servers and two Redis servers as processes of their own, by the script <c>samples/three-silos</c>.</summary>
internal sealed class ThreeSilos : IAsyncDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly List<HttpClient> _http = [];
    private readonly int[] _ports = TestPorts.Take(5);
    private readonly string _arguments;
    private readonly bool _cluster;

    private ThreeSilos(string arguments, bool cluster)
    {
        _arguments = arguments;
        _cluster = cluster;
    }

    /// <summary>The servers' addresses.</summary>
    public IReadOnlyList<Uri> Urls => [.. _ports.Take(3).Select(port => new Uri($"http://127.0.0.1:{port}"))];

    /// <summary>Starts all, with more arguments for every server, and waits until they are ready.</summary>
    /// <param name="arguments">For every server.</param>
    /// <param name="cluster">Whether they are one cluster, or each a silo of its own over the same Redis servers.</param>
    public static async Task<ThreeSilos> StartAsync(string arguments, bool cluster)
    {
        Assert.SkipUnless(RedisServer.IsLocal, "The script starts redis-server from the path, and here: " + RedisServer.Reason);
        Assert.SkipUnless(File.Exists("/bin/bash"), "bash is not installed");
        var silos = new ThreeSilos("--threads 1 " + arguments, cluster);
        try
        {
            await silos.RunAsync("up");
        }
        catch
        {
            await silos.DisposeAsync();
            throw;
        }

        return silos;
    }

    /// <summary>What the script runs under a name with its own ports and the folder <c>/dir</c>: program and arguments.</summary>
    public static async Task<IReadOnlyList<string>> CommandAsync(string name)
    {
        var environment = new Dictionary<string, string> { ["THREE_SILOS_DIR"] = "/dir", ["THREE_SILOS_DLL"] = "silo.dll" };
        string output = await RunAsync(["command", name], environment);
        return output.TrimEnd('\n').Split('\n');
    }

    /// <summary>Runs the script.</summary>
    /// <returns>What it wrote.</returns>
    public Task<string> RunAsync(params string[] arguments) => RunAsync(arguments, new Dictionary<string, string>
    {
        ["THREE_SILOS_DIR"] = _folder.FullName,
        ["THREE_SILOS_PORTS"] = string.Join(' ', _ports.Take(3)),
        ["THREE_SILOS_REDIS_PORTS"] = string.Join(' ', _ports.Skip(3).Take(2)),
        ["THREE_SILOS_CLUSTER"] = _cluster ? "on" : "off",
        ["THREE_SILOS_ARGS"] = _arguments,
        ["THREE_SILOS_DLL"] = Path.Combine(AppContext.BaseDirectory, "kvtiers-silo.dll"),
    });

    private static async Task<string> RunAsync(string[] arguments, Dictionary<string, string> environment)
    {
        var start = new ProcessStartInfo("/bin/bash") { RedirectStandardOutput = true, RedirectStandardError = true };
        start.ArgumentList.Add(Repository.PathOf("samples/three-silos"));
        foreach (string argument in arguments) start.ArgumentList.Add(argument);
        foreach ((string name, string value) in environment) start.Environment[name] = value;
        using Process process = Process.Start(start)!;
        using var deadline = new CancellationTokenSource(HangLimit.Time);
        Task<string> output = process.StandardOutput.ReadToEndAsync(deadline.Token);
        string errors = await process.StandardError.ReadToEndAsync(deadline.Token);
        await process.WaitForExitAsync(deadline.Token);
        return process.ExitCode == 0 ? await output : throw new InvalidOperationException($"three-silos {string.Join(' ', arguments)}: {errors}");
    }

    /// <summary>Speaks to one server.</summary>
    public HttpClient HttpOf(int silo)
    {
        var http = new HttpClient { BaseAddress = Urls[silo], Timeout = HangLimit.Time };
        _http.Add(http);
        return http;
    }

    /// <summary>The conversations as a client of one server sees them.</summary>
    public HttpConversations ClientOf(int silo) => new(HttpOf(silo), new KvTiersClientOptions { BaseAddress = Urls[silo] });

    public async ValueTask DisposeAsync()
    {
        foreach (HttpClient http in _http) http.Dispose();
        await RunAsync("down");
        _folder.Dispose();
    }
}
