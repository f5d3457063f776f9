using System.Text.Json.Nodes;

namespace KvTiers.Silo.Tests.Processes;

/// <summary>The server as a newcomer starts it: with nothing but its defaults, from any working directory.</summary>
public sealed class DemoModelTests : IDisposable
{
    private readonly TemporaryFolder _elsewhere = new();

    public void Dispose() => _elsewhere.Dispose();

    [Fact]
    public async Task TheDemoModelIsFoundAndRemembersWhatAnEditSays()
    {
        await using SiloProcess silo = await SiloProcess.StartElsewhereAsync(_elsewhere.FullName);
        Assert.Equal("demo", (string)(await silo.Http.GetJsonAsync("/v1/models"))["data"]![0]!["id"]!);
        JsonArray messages = [Message("user", "Hello! My name is Tom.")];
        JsonObject first = await TurnAsync(silo, messages);
        messages.Add(Message("assistant", Text(first)));
        messages.Add(Message("user", "What is my name?"));

        JsonObject second = await TurnAsync(silo, messages);
        messages[0] = Message("user", "Hello! My name is Anna.");
        JsonObject edited = await TurnAsync(silo, messages);
        messages[0] = Message("user", "Hello! My name is Tom.");
        JsonObject back = await TurnAsync(silo, messages);

        int prompt = (int)second["usage"]!["prompt_tokens"]!;
        Assert.InRange((int)second["usage"]!["prompt_tokens_details"]!["cached_tokens"]!, (int)first["usage"]!["total_tokens"]! - 1, prompt - 1);
        Assert.True((int)edited["kvtiers"]!["invalidated"]! > 0);
        Assert.Equal(Text(second), Text(back));
        Assert.Equal(prompt - 1, (int)back["usage"]!["prompt_tokens_details"]!["cached_tokens"]!);
        silo.Interrupt();
        Assert.Equal(0, await silo.WaitForExitAsync());
        Assert.True(Directory.Exists(_elsewhere.Path(".kvtiers")));
    }

    private static Task<JsonObject> TurnAsync(SiloProcess silo, JsonArray messages) => silo.Http.PostAsync(
        "/v1/chat/completions", new JsonObject { ["messages"] = messages.DeepClone(), ["conversation"] = "demo", ["max_tokens"] = 40 }.ToJsonString());

    private static JsonObject Message(string role, string content) => new() { ["role"] = role, ["content"] = content };

    private static string Text(JsonObject answer) => (string)answer["choices"]![0]!["message"]!["content"]!;
}
