using KvTiers.Silo.Models;

namespace KvTiers.Silo.Tests;

/// <summary>One server with the tiny model for all tests that leave it as they found it.</summary>
public sealed class SharedSilo : IAsyncLifetime
{
    private SiloServer? _server;

    /// <summary>Speaks to the server.</summary>
    public HttpClient Http => _server!.Http;

    internal LoadedModel Model => _server!.Model;

    public async ValueTask InitializeAsync() =>
        _server = await SiloServer.StartAsync("--name", "test-silo", "--KvTiers:Prices:Input=2", "--KvTiers:Prices:Output=4", "--KvTiers:Prices:Currency=EUR");

    public async ValueTask DisposeAsync()
    {
        if (_server is not null) await _server.DisposeAsync();
    }
}
