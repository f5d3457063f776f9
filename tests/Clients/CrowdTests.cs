using System.ClientModel;
using System.Text.Json;
using KvTiers.Clients.Tests.Npm;
using OpenAI;
using OpenAI.Chat;

namespace KvTiers.Clients.Tests;

/// <summary>Many clients of several kinds at once.</summary>
[Collection(ClientsCollection.Name)]
public sealed class CrowdTests(ClientsServer server)
{
    private const int ClientsOfAKind = 8;

    private static readonly string[] Names = ["Marta", "Bruno", "Ada", "Tomas", "Lena", "Paul", "Nina", "Otto"];
    private static readonly string[] Cities = ["Lisbon", "Oslo", "Rome", "Vienna", "Paris", "Berlin", "Madrid", "Prague"];
    private static readonly string[] NodeKinds = ["openai", "compatible", "langchain"];

    [Fact]
    public async Task ThirtyTwoClientsOfFourKindsGetTheAnswersThatOneAfterTheOtherGets()
    {
        string[][] conversations = [.. Enumerable.Range(0, ClientsOfAKind * (NodeKinds.Length + 1)).Select(Conversation)];
        List<string[]> expected = [];
        foreach (string[] turns in conversations)
            expected.Add(await TalkAsync(turns));

        string input = JsonSerializer.Serialize(conversations.Skip(ClientsOfAKind).Select((turns, i) => new { kind = NodeKinds[i % NodeKinds.Length], turns }));
        Task<string> node = NpmScript.RunAsync("crowd.mjs", server, input);
        string[][] answers = await Task.WhenAll(conversations.Take(ClientsOfAKind).Select(TalkAsync));
        string[][] nodeAnswers = JsonSerializer.Deserialize<string[][]>(await node)!;

        Assert.Equal(expected, [.. answers, .. nodeAnswers]);
        Assert.All(expected, (turns, i) => Assert.Contains(Names[i % Names.Length], turns[2], StringComparison.Ordinal));
        await server.UntilIdleAsync();
    }

    // No two of them are the same, and many begin alike.
    private static string[] Conversation(int i) =>
    [
        $"My name is {Names[i % Names.Length]} and I live in {Cities[i / Names.Length]}.", "I have a cat called Miso.", "What is my name?",
    ];

    private async Task<string[]> TalkAsync(string[] turns)
    {
        ChatClient chat = new OpenAIClient(new ApiKeyCredential(ClientsServer.Key), new OpenAIClientOptions { Endpoint = server.OpenAiUrl }).GetChatClient(ClientsServer.Model);
        List<ChatMessage> messages = [];
        List<string> answers = [];
        foreach (string turn in turns)
        {
            messages.Add(new UserChatMessage(turn));
            ChatCompletion answer = await chat.CompleteChatAsync(messages, new ChatCompletionOptions { Temperature = 0, MaxOutputTokenCount = 30 });
            messages.Add(new AssistantChatMessage(answer));
            answers.Add(answer.Content[0].Text);
        }

        return [.. answers];
    }
}
