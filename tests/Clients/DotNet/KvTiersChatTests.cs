using KvTiers.Client;
using Microsoft.Extensions.AI;

namespace KvTiers.Clients.Tests.DotNet;

/// <summary>The project's own client over chat completions.</summary>
[Collection(ClientsCollection.Name)]
public sealed class KvTiersChatTests(ClientsServer server) : ChatClientTests(server), IDisposable
{
    private readonly HttpClient _http = new() { Timeout = Timeout.InfiniteTimeSpan };

    public void Dispose() => _http.Dispose();

    protected override IChatClient Create(string model, string key) =>
        new KvTiersChatClient(_http, new KvTiersClientOptions { BaseAddress = Server.Url, ApiKey = key, Model = model });

    protected override int StatusOf(Exception error) => (int)Assert.IsType<KvTiersServerException>(error).StatusCode!;
}
