using System.Text.Json;
using System.Text.Json.Nodes;

namespace KvTiers.Silo.Tests.OpenAi;

/// <summary>Answers that must call, from a model of random weights, which has never seen a call.</summary>
[Collection(SiloCollection.Name)]
public sealed class ToolChoiceTests(SharedSilo silo)
{
    private const string Path = "/v1/chat/completions";
    private const string Weather = """{"type":"function","function":{"name":"get_weather","description":"Says what the weather is.","strict":true,"parameters":{"type":"object","properties":{"city":{"enum":["Ulm","Bonn"]},"days":{"type":"integer","minimum":0,"maximum":9}},"required":["city","days"],"additionalProperties":false}}}""";
    private const string Now = """{"type":"function","function":{"name":"now"}}""";
    private const string Named = """{"type":"function","function":{"name":"get_weather"}}""";
    private const string OnlyWeather = $$"""{"type":"allowed_tools","allowed_tools":{"mode":"required","tools":[{{Named}}] } }""";
    private const string Tools = $"\"tools\":[{Weather},{Now}]";

    // The answer ends only where it has to.
    private string Endless => $"\"logit_bias\":{{{string.Join(',', silo.Model.Tokenizer.EndOfText.Select(id => $"\"{id}\":-100"))}}}";

    [Fact]
    public async Task ANamedFunctionIsCalledOnceWithArgumentsOfItsSchema()
    {
        for (int seed = 0; seed < 20; seed++)
        {
            JsonObject answer = await silo.Http.PostAsync(Path, $$"""{"messages":[{"role":"user","content":"Hello"}],"max_tokens":200,"seed":{{seed}},{{Tools}},"tool_choice":{{Named}}}""");
            JsonNode choice = answer["choices"]![0]!;
            Assert.Equal("tool_calls", (string?)choice["finish_reason"]);
            Assert.True(choice["message"]!.AsObject().ContainsKey("content") && choice["message"]!["content"] is null);
            JsonNode call = Assert.Single(choice["message"]!["tool_calls"]!.AsArray())!;
            Assert.Equal(("function", "get_weather"), ((string?)call["type"], (string?)call["function"]!["name"]));
            Assert.StartsWith("call_", (string?)call["id"], StringComparison.Ordinal);
            AssertWeather((string)call["function"]!["arguments"]!);
        }
    }

    [Fact]
    public async Task ARequiredAnswerIsCallsAlone()
    {
        HashSet<string> names = [];
        for (int seed = 0; seed < 20; seed++)
        {
            JsonObject answer = await silo.Http.PostAsync(Path, $$"""{"messages":[{"role":"user","content":"Hello"}],"max_tokens":1500,"seed":{{seed}},"n":2,{{Tools}},"tool_choice":"required"}""");
            foreach (JsonNode? choice in answer["choices"]!.AsArray())
            {
                Assert.Equal("tool_calls", (string?)choice!["finish_reason"]);
                Assert.Null(choice["message"]!["content"]);
                JsonArray calls = choice["message"]!["tool_calls"]!.AsArray();
                Assert.Equal(calls.Count, calls.Select(call => (string?)call!["id"]).Distinct().Count());
                foreach (JsonNode? call in calls)
                {
                    string name = (string)call!["function"]!["name"]!;
                    names.Add(name);
                    if (name == "get_weather") AssertWeather((string)call["function"]!["arguments"]!);
                    else Assert.Equal("{}", (string?)call["function"]!["arguments"]);
                }
            }
        }

        Assert.Equal(["get_weather", "now"], names.Order());
    }

    [Fact]
    public async Task AnAnswerThatGoesOnMakesSeveralCallsAndIsCutOffInTheLast()
    {
        JsonObject answer = await silo.Http.PostAsync(Path, $$"""{"messages":[{"role":"user","content":"Hello"}],"max_tokens":300,{{Endless}},"seed":5,{{Tools}},"tool_choice":{{OnlyWeather}}}""");
        JsonNode choice = answer["choices"]![0]!;
        Assert.Equal("length", (string?)choice["finish_reason"]);
        JsonArray calls = choice["message"]!["tool_calls"]!.AsArray();
        Assert.True(calls.Count > 2);
        Assert.All(calls.SkipLast(1), call => AssertWeather((string)call!["function"]!["arguments"]!));
    }

    [Fact]
    public async Task OneCallIsMadeWhereSeveralAreNotAllowedAndOnlyOfWhatIsAllowed()
    {
        const string Allowed = """{"type":"allowed_tools","allowed_tools":{"mode":"required","tools":[{"type":"function","function":{"name":"now"}}]}}""";
        for (int seed = 0; seed < 10; seed++)
        {
            JsonObject one = await silo.Http.PostAsync(Path, $$"""{"messages":[{"role":"user","content":"Hello"}],"max_tokens":200,"seed":{{seed}},{{Tools}},"tool_choice":"required","parallel_tool_calls":false}""");
            Assert.Single(one["choices"]![0]!["message"]!["tool_calls"]!.AsArray());
            JsonObject allowed = await silo.Http.PostAsync(Path, $$"""{"messages":[{"role":"user","content":"Hello"}],"max_tokens":1500,"seed":{{seed}},{{Tools}},"tool_choice":{{Allowed}}}""");
            Assert.All(allowed["choices"]![0]!["message"]!["tool_calls"]!.AsArray(), call => Assert.Equal("now", (string?)call!["function"]!["name"]));
        }
    }

    [Fact]
    public async Task AStreamBringsTheSameCallsPieceByPiece()
    {
        string body = $$"""{"messages":[{"role":"user","content":"Hello"}],"max_tokens":300,{{Endless}},"seed":5,{{Tools}},"tool_choice":{{OnlyWeather}},""";
        JsonArray whole = (await silo.Http.PostAsync(Path, body + "\"user\":\"u\"}"))["choices"]![0]!["message"]!["tool_calls"]!.AsArray();
        List<string> data = await silo.Http.StreamAsync(Path, body + "\"stream\":true}").ToListAsync();
        List<JsonNode> choices = [.. data[..^1].Select(item => JsonNode.Parse(item)!["choices"]![0]!)];

        Assert.Equal("assistant", (string?)choices[0]["delta"]!["role"]);
        Assert.Equal("length", (string?)choices[^1]["finish_reason"]);
        // What is cut off before it is known to be a call is text.
        Assert.All(choices[1..^2], choice => Assert.Null(choice["delta"]!["content"]));
        List<JsonNode> pieces = [.. choices.Where(choice => choice["delta"]!["tool_calls"] is not null).Select(choice => Assert.Single(choice["delta"]!["tool_calls"]!.AsArray())!)];
        for (int i = 0; i < whole.Count; i++)
        {
            List<JsonNode> own = [.. pieces.Where(piece => (int)piece["index"]! == i)];
            Assert.Equal(("function", (string?)whole[i]!["function"]!["name"], ""), ((string?)own[0]["type"], (string?)own[0]["function"]!["name"], (string?)own[0]["function"]!["arguments"]));
            Assert.NotNull(own[0]["id"]);
            Assert.All(own[1..], piece => Assert.True(piece["id"] is null && piece["function"]!["name"] is null));
            Assert.Equal((string?)whole[i]!["function"]!["arguments"], string.Concat(own.Select(piece => (string?)piece["function"]!["arguments"])));
        }

        Assert.Equal(whole.Count, pieces.Max(piece => (int)piece["index"]!) + 1);
        Assert.True(whole.Count > 2);
        Assert.Contains(pieces.GroupBy(piece => (int)piece["index"]!), call => call.Count() > 3);
    }

    [Fact]
    public async Task ResultsInAStoredConversationComputeOnlyWhatIsNew()
    {
        const string Question = """{"role":"user","content":"Is it warm?"}""";
        JsonObject one = await silo.Http.PostAsync(Path, $$"""{"conversation":"tools-required","messages":[{{Question}}],"max_tokens":200,"seed":1,{{Tools}},"tool_choice":{{Named}}}""");
        JsonObject message = one["choices"]![0]!["message"]!.AsObject();
        JsonNode call = message["tool_calls"]![0]!;

        // As a client sends it back that has read the arguments.
        call["function"]!["arguments"] = JsonNode.Parse((string)call["function"]!["arguments"]!)!.ToJsonString();
        string result = $$"""{"role":"tool","tool_call_id":"{{call["id"]}}","content":"21 degrees"}""";
        JsonObject two = await silo.Http.PostAsync(Path, $$"""{"conversation":"tools-required","messages":[{{Question}},{{message.ToJsonString()}},{{result}}],"max_tokens":4,{{Tools}}}""");

        int known = (int)one["usage"]!["prompt_tokens"]! + (int)one["usage"]!["completion_tokens"]! - 1;
        Assert.Equal(known, (int)two["usage"]!["prompt_tokens_details"]!["cached_tokens"]!);
        Assert.Equal((int)two["usage"]!["prompt_tokens"]! - known, (int)two["kvtiers"]!["computed"]!);
        Assert.Equal(0, (int)two["kvtiers"]!["invalidated"]!);
        JsonObject stored = await silo.Http.GetJsonAsync("/v1/conversations/tools-required");
        Assert.Equal((string?)call["id"], (string?)stored["messages"]![1]!["tool_calls"]![0]!["id"]);
    }

    [Fact]
    public async Task ASchemaThatIsNotSupportedIsRefusedWhereItIsStrictAndAnyObjectElse()
    {
        const string Odd = """{"messages":[{"role":"user","content":"Hello"}],"max_tokens":300,"temperature":0,"tool_choice":"required","parallel_tool_calls":false,"tools":[{"type":"function","function":{"name":"odd","strict":STRICT,"parameters":{"type":"object","if":{}}}}]}""";
        JsonObject refused = await silo.Http.PostAsync(Path, Odd.Replace("STRICT", "true", StringComparison.Ordinal), System.Net.HttpStatusCode.BadRequest);
        Assert.Contains("'if' is not supported", (string?)refused["error"]!["message"], StringComparison.Ordinal);
        Assert.Contains("'odd'", (string?)refused["error"]!["message"], StringComparison.Ordinal);
        JsonObject answer = await silo.Http.PostAsync(Path, Odd.Replace("STRICT", "false", StringComparison.Ordinal));
        Assert.Equal("odd", (string?)answer["choices"]![0]!["message"]!["tool_calls"]![0]!["function"]!["name"]);
    }

    private static void AssertWeather(string arguments)
    {
        JsonElement parsed = JsonDocument.Parse(arguments).RootElement;
        Assert.Equal(["city", "days"], parsed.EnumerateObject().Select(member => member.Name));
        Assert.Contains(parsed.GetProperty("city").GetString(), new[] { "Ulm", "Bonn" });
        Assert.InRange(parsed.GetProperty("days").GetInt32(), 0, 9);
    }
}
