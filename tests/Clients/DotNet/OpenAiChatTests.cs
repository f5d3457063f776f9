using System.ClientModel;
using System.ClientModel.Primitives;
using Microsoft.Extensions.AI;
using OpenAI;

namespace KvTiers.Clients.Tests.DotNet;

/// <summary>OpenAI's own client over chat completions.</summary>
[Collection(ClientsCollection.Name)]
public sealed class OpenAiChatTests(ClientsServer server) : ChatClientTests(server)
{
    [Fact]
    public async Task AToolIsCalledAndItsResultAnswered()
    {
        int calls = 0;
        AIFunction weather = AIFunctionFactory.Create((bool inCelsius) => $"{++calls}: {(inCelsius ? 21 : 70)} degrees", "get_weather", "The weather here.");
        using IChatClient client = Create(ClientsServer.Model, ClientsServer.Key);
        var options = new ChatOptions { Temperature = 0, MaxOutputTokens = 300, Tools = [weather], ToolMode = ChatToolMode.RequireSpecific("get_weather") };
        List<ChatMessage> messages = [new(ChatRole.User, "What is the weather?")];

        ChatResponse asked = await client.GetResponseAsync(messages, options);
        FunctionCallContent call = Assert.Single(asked.Messages.SelectMany(message => message.Contents).OfType<FunctionCallContent>());
        object? result = await weather.InvokeAsync(new AIFunctionArguments(call.Arguments));
        messages.AddMessages(asked);
        messages.Add(new(ChatRole.Tool, [new FunctionResultContent(call.CallId, result)]));
        ChatResponse answer = await client.GetResponseAsync(messages, new ChatOptions { Temperature = 0, MaxOutputTokens = 40, Tools = [weather], ToolMode = ChatToolMode.None });

        Assert.Equal((1, "get_weather"), (calls, call.Name));
        Assert.DoesNotContain(answer.Messages.SelectMany(message => message.Contents), content => content is FunctionCallContent);
    }

    protected override IChatClient Create(string model, string key) => new OpenAIClient(
        new ApiKeyCredential(key), new OpenAIClientOptions { Endpoint = Server.OpenAiUrl, RetryPolicy = new ClientRetryPolicy(0) }).GetChatClient(model).AsIChatClient();

    protected override int StatusOf(Exception error) => Assert.IsType<ClientResultException>(error).Status;
}
