using System.Text;
using KvTiers.Tests.Shared;
using Microsoft.Agents.AI;
using Microsoft.Extensions.AI;

namespace KvTiers.Clients.Tests.DotNet;

/// <summary>What every <see cref="IChatClient"/> must do against the server; each client inherits it. Microsoft's agents are run over each, too.</summary>
public abstract class ChatClientTests(ClientsServer server)
{
    private static readonly ChatOptions Short = new() { Temperature = 0, MaxOutputTokens = 40 };

    protected ClientsServer Server => server;

    [Fact]
    public async Task AConversationHasSeveralTurns()
    {
        using IChatClient client = Create(ClientsServer.Model, ClientsServer.Key);
        List<ChatMessage> messages = [new(ChatRole.User, "My name is Marta and I live in Lisbon.")];

        ChatResponse first = await client.GetResponseAsync(messages, Short);
        messages.AddMessages(first);
        messages.Add(new(ChatRole.User, "What is my name?"));
        ChatResponse second = await client.GetResponseAsync(messages, Short);

        Assert.Contains("Marta", second.Text, StringComparison.Ordinal);
        Assert.Equal(ChatFinishReason.Stop, second.FinishReason);
        Assert.True(second.Usage!.InputTokenCount > first.Usage!.InputTokenCount);
    }

    [Fact]
    public async Task AStreamBringsWhatTheWholeAnswerIs()
    {
        using IChatClient client = Create(ClientsServer.Model, ClientsServer.Key);
        ChatMessage message = new(ChatRole.User, "I have a cat called Miso.");
        ChatResponse whole = await client.GetResponseAsync(message, Short);

        List<ChatResponseUpdate> updates = await client.GetStreamingResponseAsync(message, Short).ToListAsync();
        ChatResponse streamed = updates.ToChatResponse();

        Assert.Equal(whole.Text, streamed.Text);
        Assert.True(updates.Count(update => update.Text.Length > 0) > 1);
        Assert.Equal(whole.Usage!.OutputTokenCount, streamed.Usage!.OutputTokenCount);
    }

    [Fact]
    public async Task AStreamIsCancelled()
    {
        using IChatClient client = Create(ClientsServer.Model, ClientsServer.Key);
        using var cancelled = new CancellationTokenSource(HangLimit.Time);
        var text = new StringBuilder();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
        {
            await foreach (ChatResponseUpdate update in client.GetStreamingResponseAsync("What is a KV cache?", Short, cancelled.Token))
            {
                text.Append(update.Text);
                if (text.Length > 0)
                    await cancelled.CancelAsync();
            }
        });

        await server.UntilIdleAsync();
    }

    [Theory]
    [InlineData("another", ClientsServer.Key, 404, "another")]
    [InlineData(ClientsServer.Model, "a-key-that-nobody-has", 401, "key")]
    public async Task AnErrorIsTheClientsOwnWithItsStatusAndMessage(string model, string key, int status, string word)
    {
        using IChatClient client = Create(model, key);

        Exception error = await Assert.ThrowsAnyAsync<Exception>(() => client.GetResponseAsync("Hello!", Short));

        Assert.Equal(status, StatusOf(error));
        Assert.Contains(word, error.Message, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task AnAgentRemembersItsSession()
    {
        using IChatClient client = Create(ClientsServer.Model, ClientsServer.Key);
        var agent = new ChatClientAgent(client, new ChatClientAgentOptions { ChatOptions = Short });
        AgentSession session = await agent.CreateSessionAsync();

        await agent.RunAsync("My name is Marta and I live in Lisbon.", session);
        var text = new StringBuilder();
        await foreach (AgentResponseUpdate update in agent.RunStreamingAsync("What is my name?", session))
            text.Append(update.Text);

        Assert.Contains("Marta", text.ToString(), StringComparison.Ordinal);
    }

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

    /// <summary>The client, with nothing but what names the server, the key and the model, and no second try.</summary>
    protected abstract IChatClient Create(string model, string key);

    /// <summary>The HTTP status that the client's own exception has.</summary>
    protected abstract int StatusOf(Exception error);
}
