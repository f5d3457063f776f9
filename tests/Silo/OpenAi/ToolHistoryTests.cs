using System.Text.Json.Nodes;

namespace KvTiers.Silo.Tests.OpenAi;

/// <summary>Functions in a request whose answer calls none, and calls in its history.</summary>
[Collection(SiloCollection.Name)]
public sealed class ToolHistoryTests(SharedSilo silo)
{
    private const string Path = "/v1/chat/completions";
    private const string Tools = """[{"type":"function","function":{"name":"get_weather","description":"Says what the weather is.","parameters":{"type":"object","properties":{"city":{"type":"string"}}},"strict":true}}]""";
    private const string Called = """{"role":"assistant","content":null,"refusal":null,"tool_calls":[{"id":"call_1","type":"function","function":{"name":"get_weather","arguments":"{\"city\":\"Ulm\"}"}}]}""";
    private const string Result = """{"role":"tool","tool_call_id":"call_1","content":[{"type":"text","text":"21 degrees"}]}""";

    [Fact]
    public async Task TheModelSeesFunctionsCallsAndResults()
    {
        JsonObject without = await silo.Http.PostAsync(Path, """{"messages":[{"role":"user","content":"Is it warm?"}],"max_tokens":1}""");
        JsonObject with = await silo.Http.PostAsync(Path, $$"""{"messages":[{"role":"user","content":"Is it warm?"}],"max_tokens":1,"tools":{{Tools}}}""");
        JsonObject none = await silo.Http.PostAsync(Path, $$"""{"messages":[{"role":"user","content":"Is it warm?"}],"max_tokens":1,"tools":{{Tools}},"tool_choice":"none"}""");
        JsonObject result = await silo.Http.PostAsync(Path, $$"""{"messages":[{"role":"user","content":"Is it warm?"},{{Called}},{{Result}}],"max_tokens":1,"tools":{{Tools}}}""");

        Assert.True(Prompt(with) > Prompt(without) + 50);
        Assert.Equal(Prompt(with), Prompt(none));
        Assert.True(Prompt(result) > Prompt(with) + 20);
    }

    [Fact]
    public async Task AnAnswerWithoutCallsIsTheTextThatItWouldBe()
    {
        string body = $$"""{"messages":[{"role":"user","content":"Say something"}],"max_tokens":12,"temperature":0,"tools":{{Tools}},"logprobs":true,""";
        JsonObject none = await silo.Http.PostAsync(Path, body + "\"tool_choice\":\"none\"}");
        JsonObject auto = await silo.Http.PostAsync(Path, body + "\"tool_choice\":\"auto\"}");
        Assert.Equal(none["choices"]![0]!["message"]!.ToJsonString(), auto["choices"]![0]!["message"]!.ToJsonString());
        Assert.Equal(Tokens(none["choices"]![0]!), Tokens(auto["choices"]![0]!));

        List<string> data = await silo.Http.StreamAsync(Path, body + "\"stream\":true}").ToListAsync();
        List<JsonNode> choices = [.. data[..^1].Select(item => JsonNode.Parse(item)!["choices"]![0]!)];
        Assert.Equal((string?)none["choices"]![0]!["message"]!["content"], string.Concat(choices.Select(choice => (string?)choice["delta"]!["content"])));
        Assert.Equal(Tokens(none["choices"]![0]!), choices.Where(choice => choice["logprobs"] is not null).SelectMany(Tokens));

        static IEnumerable<string?> Tokens(JsonNode choice) => choice["logprobs"]!["content"]!.AsArray().Select(one => (string?)one!["token"]);
    }

    [Fact]
    public async Task AStoredConversationKeepsCallsNamesAndResults()
    {
        string head = $$"""{"conversation":"tools-stored","max_tokens":4,"temperature":0,"tools":{{Tools}},"messages":[{"role":"user","name":"Ann","content":"Is it warm?"},{{Called}},{{Result}}""";
        JsonObject one = await silo.Http.PostAsync(Path, head + "]}");
        string answer = one["choices"]![0]!["message"]!["content"]!.ToJsonString();
        JsonObject two = await silo.Http.PostAsync(Path, $$"""{{head.Replace("\\\"city\\\":", "  \\\"city\\\" : ", StringComparison.Ordinal)}},{"role":"assistant","content":{{answer}}},{"role":"user","content":"And now?"}]}""");

        Assert.Equal(Prompt(one) + (int)one["usage"]!["completion_tokens"]! - 1, (int)two["usage"]!["prompt_tokens_details"]!["cached_tokens"]!);
        Assert.Equal(0, (int)two["kvtiers"]!["invalidated"]!);
        JsonObject stored = await silo.Http.GetJsonAsync("/v1/conversations/tools-stored");
        JsonArray messages = stored["messages"]!.AsArray();
        Assert.Equal("Ann", (string?)messages[0]!["name"]);
        Assert.Equal("get_weather", (string?)messages[1]!["tool_calls"]![0]!["name"]);
        Assert.Equal("call_1", (string?)messages[2]!["tool_call_id"]);
    }

    private static int Prompt(JsonObject answer) => (int)answer["usage"]!["prompt_tokens"]!;
}
