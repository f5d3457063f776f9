using System.ClientModel;
using System.ClientModel.Primitives;
using Microsoft.Extensions.AI;
using OpenAI;

namespace KvTiers.Clients.Tests.DotNet;

/// <summary>OpenAI's own client over chat completions.</summary>
[Collection(ClientsCollection.Name)]
public sealed class OpenAiChatTests(ClientsServer server) : ChatClientTests(server)
{
    protected override IChatClient Create(string model, string key) => new OpenAIClient(
        new ApiKeyCredential(key), new OpenAIClientOptions { Endpoint = Server.OpenAiUrl, RetryPolicy = new ClientRetryPolicy(0) }).GetChatClient(model).AsIChatClient();

    protected override int StatusOf(Exception error) => Assert.IsType<ClientResultException>(error).Status;
}
