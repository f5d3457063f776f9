using KvTiers.Silo.Models;

namespace KvTiers.Silo.Tests;

/// <summary>One server with the tiny model for all tests that leave it as they found it.</summary>
public sealed class SharedSilo : IAsyncLifetime
{
    private SiloServer? _server;

    /// <summary>Speaks to the server.</summary>
    public HttpClient Http => _server!.Http;

    internal LoadedModel Model => _server!.Model;

    internal IServiceProvider Services => _server!.Services;

    /// <summary>A field of a request whose answer is of the letters a to z alone, one or several a token: the tiny model draws any bytes otherwise.</summary>
    public string LettersOnly => "\"logit_bias\":{" + string.Join(',', Enumerable.Range(0, Model.Config.Vocabulary)
        .Where(id => Model.Tokenizer.IsSpecial(id) || Model.Tokenizer.TokenBytes(id) is var bytes && (bytes.Length == 0 || bytes.ContainsAnyExceptInRange((byte)'a', (byte)'z')))
        .Select(id => $"\"{id}\":-100")) + "}";

    public async ValueTask InitializeAsync() =>
        _server = await SiloServer.StartAsync("--name", "test-silo", "--KvTiers:Prices:Input=2", "--KvTiers:Prices:Output=4", "--KvTiers:Prices:Currency=EUR");

    public async ValueTask DisposeAsync()
    {
        if (_server is not null) await _server.DisposeAsync();
    }
}
