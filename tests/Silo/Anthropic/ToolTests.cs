using System.Net;
using System.Text.Json.Nodes;
using KvTiers.Conversations;
using KvTiers.Silo.Anthropic;

namespace KvTiers.Silo.Tests.Anthropic;

[Collection(SiloCollection.Name)]
public sealed class ToolTests(SharedSilo silo)
{
    private const string Path = "/v1/messages";
    private const string Schema = """{"type":"object","properties":{"city":{"type":"string"}},"required":["city"]}""";
    private const string Tools = $$"""
        "tools":[{"name":"weather","description":"Tells the weather of a city.","input_schema":{{Schema}}}]
        """;

    private const string Asked = """{"role":"user","content":"How is the weather in Ulm?"}""";
    private const string Called = """{"role":"assistant","content":[{"type":"text","text":"Let me see."},{"type":"tool_use","id":"toolu_1","name":"weather","input":{"city":"Ulm"}}]}""";

    private static readonly ToolDefinition Weather = new() { Name = "weather", Description = "Tells the weather of a city.", Parameters = Schema };

    [Fact]
    public async Task BlocksOfCallsAndResultsAreTheMessagesThatTheTemplateKnows()
    {
        const string Result = """{"role":"user","content":[{"type":"tool_result","tool_use_id":"toolu_1","content":[{"type":"text","text":"Rain"}]},{"type":"text","text":"And tomorrow?"}]}""";
        JsonObject count = await silo.Http.PostAsync(Path + "/count_tokens", $$"""{{{Tools}},"messages":[{{Asked}},{{Called}},{{Result}}]}""");

        int[] expected = silo.Model.Chat.Encode(
            [
                new("user", "How is the weather in Ulm?"),
                new("assistant", "Let me see.") { ToolCalls = [new ToolCall("toolu_1", "weather", """{"city":"Ulm"}""")] },
                new("tool", "Rain") { ToolCallId = "toolu_1" },
                new("user", "And tomorrow?"),
            ],
            addGenerationPrompt: true,
            [Weather]).Ids;
        Assert.Equal(expected.Length, (int)count["input_tokens"]!);
    }

    [Fact]
    public async Task ARequestWithAResultComputesOnlyWhatIsNew()
    {
        JsonObject first = await silo.Http.PostAsync(Path, $$"""{{{Tools}},"max_tokens":1,"messages":[{{Asked}}]}""");
        JsonObject second = await silo.Http.PostAsync(Path, $$"""
            {{{Tools}},"max_tokens":1,"messages":[{{Asked}},{{Called}},{"role":"user","content":[{"type":"tool_result","tool_use_id":"toolu_1","content":"Rain","is_error":true}]}]}
            """);

        int prompt = (int)first["usage"]!["input_tokens"]! + (int)first["usage"]!["cache_read_input_tokens"]!;
        Assert.True((int)second["usage"]!["cache_read_input_tokens"]! >= prompt - silo.Model.Chat.GenerationPromptIds.Count - 1);
    }

    [Fact]
    public async Task ABreakpointOnTheToolsKeepsWhatTellsOfThem()
    {
        string tools = Tools.Replace("\"name\":\"weather\"", "\"name\":\"weather_of_breakpoints\",\"cache_control\":{\"type\":\"ephemeral\",\"ttl\":\"1h\"}", StringComparison.Ordinal);
        JsonObject first = await silo.Http.PostAsync(Path, $$"""{{{tools}},"max_tokens":1,"messages":[{"role":"user","content":"one"}]}""");
        JsonObject second = await silo.Http.PostAsync(Path, $$"""{{{tools}},"max_tokens":1,"messages":[{"role":"user","content":"two"}]}""");

        int marked = (int)first["usage"]!["cache_creation"]!["ephemeral_1h_input_tokens"]!;
        Assert.True(marked > 20);
        Assert.Equal(0, (int)second["usage"]!["cache_creation_input_tokens"]!);
        Assert.True((int)second["usage"]!["cache_read_input_tokens"]! >= marked);
    }

    [Theory]
    [InlineData("any")]
    [InlineData("tool")]
    public async Task AnAnswerThatMustCallIsAValidCall(string choice)
    {
        string name = choice == "tool" ? ",\"name\":\"weather\"" : "";
        string body = $"{{{Tools.Trim()},\"tool_choice\":{{\"type\":\"{choice}\"{name},\"disable_parallel_tool_use\":true}},\"max_tokens\":600,\"temperature\":0,\"messages\":[{Asked}]";
        JsonObject answer = await silo.Http.PostAsync(Path, body + "}");

        JsonObject call = Assert.Single(answer["content"]!.AsArray())!.AsObject();
        Assert.Equal("tool_use", (string)call["type"]!);
        Assert.Equal("weather", (string)call["name"]!);
        Assert.NotEmpty((string)call["id"]!);
        if ((string)answer["stop_reason"]! == "tool_use") Assert.NotNull((string?)call["input"]!["city"]);
        else Assert.Equal("max_tokens", (string)answer["stop_reason"]!);

        List<JsonNode> events = [.. (await silo.Http.StreamAsync(Path, body + ",\"stream\":true}").ToListAsync()).Select(data => JsonNode.Parse(data)!)];
        Assert.Equal("tool_use", (string)events[2]["content_block"]!["type"]!);
        Assert.Empty(events[2]["content_block"]!["input"]!.AsObject());
        string arguments = string.Concat(events.Select(item => (string?)item["delta"]?["partial_json"]));
        if ((string)answer["stop_reason"]! == "tool_use") Assert.True(JsonNode.DeepEquals(call["input"], JsonNode.Parse(arguments)));
        Assert.Equal((string)answer["stop_reason"]!, (string)events[^2]["delta"]!["stop_reason"]!);
    }

    [Fact]
    public async Task AnAnswerMatchesTheSchemaThatWasAskedFor()
    {
        const string Format = """{"type":"json_schema","schema":{"type":"object","properties":{"sure":{"type":"boolean"}},"required":["sure"],"additionalProperties":false}}""";
        foreach (string field in (string[])[$"\"output_config\":{{\"format\":{Format}}}", $"\"output_format\":{Format}"])
        {
            JsonObject answer = await silo.Http.PostAsync(Path, $"{{{field},\"max_tokens\":40,\"messages\":[{Asked}]}}");
            JsonObject said = JsonNode.Parse((string)answer["content"]![0]!["text"]!)!.AsObject();
            Assert.Single(said);
            _ = (bool)said["sure"]!;
        }
    }

    [Theory]
    [InlineData("""{"max_tokens":1,"tools":[{"type":"web_search_20250305","name":"web_search"}],"messages":[{"role":"user","content":"x"}]}""", "web_search_20250305")]
    [InlineData("""{"max_tokens":1,"tool_choice":{"type":"any"},"messages":[{"role":"user","content":"x"}]}""", "tool_choice")]
    [InlineData("""{"max_tokens":1,"tools":[{"name":"a b","input_schema":{}}],"messages":[{"role":"user","content":"x"}]}""", "'tools[0].name' is 'a b'")]
    [InlineData("""{"max_tokens":1,"tools":[{"name":"a","input_schema":{}}],"tool_choice":{"type":"tool","name":"b"},"messages":[{"role":"user","content":"x"}]}""", "'b'")]
    [InlineData("""{"max_tokens":1,"messages":[{"role":"user","content":[{"type":"tool_use","id":"a","name":"b","input":{}}]}]}""", "tool_use")]
    [InlineData("""{"max_tokens":1,"messages":[{"role":"assistant","content":[{"type":"tool_result","tool_use_id":"a","content":"b"}]}]}""", "tool_result")]
    [InlineData("""{"max_tokens":1,"messages":[{"role":"assistant","content":[{"type":"tool_use","id":"a","name":"b","input":"c"}]}]}""", "messages[0].content[0].input")]
    [InlineData("""{"max_tokens":1,"messages":[{"role":"user","content":[{"type":"tool_result","tool_use_id":"a","content":[{"type":"image"}]}]}]}""", "image")]
    [InlineData("""{"max_tokens":1,"messages":[{"role":"user","content":[{"type":"tool_result","tool_use_id":"a","contents":"b"}]}]}""", "contents")]
    public async Task AFaultIsNamed(string body, string named)
    {
        JsonObject answer = await silo.Http.PostAsync(Path, body, HttpStatusCode.BadRequest);
        Assert.Contains(named, (string)answer["error"]!["message"]!, StringComparison.Ordinal);
    }

    [Fact]
    public void AnAnswersBlocksAreItsTextAndItsCallsInOrder()
    {
        var content = new MessageContent();
        content.Add("Let me ");
        content.Add("see.");
        content.Begin("call_1", "weather");
        content.AddArguments("{\"city\":");
        content.AddArguments("\"Ulm\"}");
        content.Begin("call_2", "now");
        content.Add("Done");
        content.Begin("call_3", "weather");
        content.AddArguments("{\"city\":\"U");

        IReadOnlyList<object> blocks = content.Take();
        Assert.Equal(new TextBlock("Let me see."), blocks[0]);
        Assert.Equal("Ulm", Assert.IsType<ToolUseBlock>(blocks[1]).Input.GetProperty("city").GetString());
        Assert.Equal("{}", Assert.IsType<ToolUseBlock>(blocks[2]).Input.GetRawText());
        Assert.Equal(new TextBlock("Done"), blocks[3]);
        Assert.Equal("{\"city\":\"U", Assert.IsType<ToolUseBlock>(blocks[4]).Input.GetProperty("INVALID_JSON").GetString());
    }
}
