using System.Globalization;
using KvTiers.Tests.Shared;

namespace KvTiers.Clients.Tests;

/// <summary>One server with the demo model, on a port of its own, that asks for a key: what all clients are run against.</summary>
public sealed class ClientsServer : IAsyncLifetime
{
    /// <summary>The key that clients are given.</summary>
    public const string Key = "a-key-for-all-clients-0123";

    /// <summary>The model's name.</summary>
    public const string Model = "demo";

    private const string AdminKey = "an-admin-key-0123456789";

    private readonly TemporaryFolder _folder = new();
    private SiloServer? _server;

    /// <summary>The server's address; OpenAI's clients are given <see cref="OpenAiUrl"/>.</summary>
    public Uri Url => _server!.Url;

    /// <summary>The base URL of OpenAI's clients.</summary>
    public Uri OpenAiUrl => new(Url, "/v1");

    public async ValueTask InitializeAsync()
    {
        string keys = Path.Combine(_folder.FullName, "keys");
        await File.WriteAllTextAsync(keys, $"clients {Key}\nadmin {AdminKey}\n");
        _server = await SiloServer.StartAsync("--model", Path.Combine(Repository.Root, "models", "demo"), "--hot", "64MiB", "--api-key-file", keys);
    }

    /// <summary>Waits until no sequence runs or waits: whoever cancelled has stopped the computation.</summary>
    public async Task UntilIdleAsync()
    {
        using var limit = new CancellationTokenSource(HangLimit.Time);
        while (await GaugeAsync("kvtiers_engine_running") + await GaugeAsync("kvtiers_engine_waiting") > 0)
            await Task.Delay(10, limit.Token);
    }

    public async ValueTask DisposeAsync()
    {
        if (_server is not null)
            await _server.DisposeAsync();
        _folder.Dispose();
    }

    private async Task<double> GaugeAsync(string name)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/metrics");
        request.Headers.Authorization = new("Bearer", AdminKey);
        using HttpResponseMessage response = await _server!.Http.SendAsync(request);
        string text = await response.EnsureSuccessStatusCode().Content.ReadAsStringAsync();
        string line = text.Split('\n').Single(line => line.StartsWith(name + " ", StringComparison.Ordinal));
        return double.Parse(line[(line.LastIndexOf(' ') + 1)..], CultureInfo.InvariantCulture);
    }
}
