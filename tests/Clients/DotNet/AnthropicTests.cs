using Anthropic;
using Anthropic.Exceptions;
using Microsoft.Extensions.AI;

namespace KvTiers.Clients.Tests.DotNet;

/// <summary>Anthropic's own client over messages.</summary>
[Collection(ClientsCollection.Name)]
public sealed class AnthropicTests(ClientsServer server) : ChatClientTests(server)
{
    protected override IChatClient Create(string model, string key) =>
        new AnthropicClient { ApiKey = key, BaseUrl = Server.Url.AbsoluteUri.TrimEnd('/'), MaxRetries = 0 }.AsIChatClient(model, 40);

    protected override int StatusOf(Exception error) => (int)Assert.IsType<AnthropicApiException>(error, exactMatch: false).StatusCode;
}
