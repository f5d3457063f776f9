using System.Net;
using System.Text.Json.Nodes;
using KvTiers.Conversations;

namespace KvTiers.Silo.Tests.Responses;

[Collection(SiloCollection.Name)]
public sealed class FunctionTests(SharedSilo silo)
{
    private const string Path = "/v1/responses";
    private const string Schema = """{"type":"object","properties":{"city":{"type":"string"}},"required":["city"]}""";
    private const string Tools = $$"""
        "tools":[{"type":"function","name":"weather","description":"Tells the weather of a city.","parameters":{{Schema}},"strict":true}]
        """;

    [Fact]
    public async Task ItemsOfCallsAndResultsAreTheMessagesThatTheTemplateKnows()
    {
        JsonObject made = await silo.Http.PostAsync(Path, $$"""
            {{{Tools}},"max_output_tokens":1,"input":[{"role":"user","content":"How is the weather?"},
             {"type":"message","role":"assistant","content":"Let me see."},
             {"type":"function_call","call_id":"c1","name":"weather","arguments":"{\"city\":\"Ulm\"}"},{"type":"function_call","call_id":"c2","name":"weather","arguments":"{}"},
             {"type":"function_call_output","call_id":"c1","output":"Rain"},{"type":"function_call_output","call_id":"c2","output":[{"type":"input_text","text":"None"}]}]}
            """);

        int[] expected = silo.Model.Chat.Encode(
            [
                new("user", "How is the weather?"),
                new("assistant", "Let me see.") { ToolCalls = [new ToolCall("c1", "weather", """{"city":"Ulm"}"""), new ToolCall("c2", "weather", "{}")] },
                new("tool", "Rain") { ToolCallId = "c1" },
                new("tool", "None") { ToolCallId = "c2" },
            ],
            addGenerationPrompt: true,
            [new ToolDefinition { Name = "weather", Description = "Tells the weather of a city.", Parameters = Schema, Strict = true }]).Ids;
        Assert.Equal(expected.Length, (int)made["usage"]!["input_tokens"]!);
        Assert.Equal("weather", (string)made["tools"]![0]!["name"]!);

        JsonArray items = (await silo.Http.GetJsonAsync($"{Path}/{made["id"]}/input_items?order=asc"))["data"]!.AsArray();
        Assert.Equal(["message", "message", "function_call", "function_call", "function_call_output", "function_call_output"], items.Select(item => (string)item!["type"]!));
        Assert.Equal("{\"city\":\"Ulm\"}", (string)items[2]!["arguments"]!);
        Assert.Equal("c2", (string)items[5]!["call_id"]!);
        JsonObject read = await silo.Http.GetJsonAsync($"{Path}/{made["id"]}");
        Assert.Equal(made["tools"]!.ToJsonString(), read["tools"]!.ToJsonString());
    }

    [Fact]
    public async Task ACallIsAnItemAndItsResultAloneGoesOn()
    {
        string body = $"{{{Tools.Trim()},\"tool_choice\":\"required\",\"parallel_tool_calls\":false,\"max_output_tokens\":600,\"temperature\":0,\"input\":\"How is the weather?\"";
        JsonObject made = await silo.Http.PostAsync(Path, body + "}");
        JsonObject call = Assert.Single(made["output"]!.AsArray())!.AsObject();
        Assert.Equal("function_call", (string)call["type"]!);
        Assert.Equal("weather", (string)call["name"]!);
        JsonObject read = await silo.Http.GetJsonAsync($"{Path}/{made["id"]}");
        Assert.Equal(made["output"]!.ToJsonString(), read["output"]!.ToJsonString());

        List<JsonNode> events = [.. (await silo.Http.StreamAsync(Path, body + ",\"stream\":true}").ToListAsync()).Select(data => JsonNode.Parse(data)!)];
        Assert.Equal("response.output_item.added", (string)events[2]["type"]!);
        JsonNode done = events.Single(item => (string)item["type"]! == "response.function_call_arguments.done");
        Assert.Equal((string)done["arguments"]!, string.Concat(events.Where(item => (string)item["type"]! == "response.function_call_arguments.delta").Select(item => (string)item["delta"]!)));
        Assert.Equal((string)call["arguments"]!, (string)done["arguments"]!);

        JsonObject next = await silo.Http.PostAsync(Path, $$"""
            {{{Tools}},"previous_response_id":"{{made["id"]}}","max_output_tokens":2,"input":[{"type":"function_call_output","call_id":"{{call["call_id"]}}","output":"Rain"}]}
            """);
        int length = (int)made["usage"]!["total_tokens"]!;
        Assert.True((int)next["usage"]!["input_tokens_details"]!["cached_tokens"]! >= length - 1);
    }

    [Fact]
    public async Task AnAnswerMatchesTheSchemaThatWasAskedFor()
    {
        const string Format = """{"type":"json_schema","name":"sure","strict":true,"schema":{"type":"object","properties":{"sure":{"type":"boolean"}},"required":["sure"],"additionalProperties":false}}""";
        foreach (string store in (string[])["true", "false"])
        {
            JsonObject made = await silo.Http.PostAsync(Path, $"{{\"text\":{{\"format\":{Format}}},\"store\":{store},\"max_output_tokens\":40,\"input\":\"Is it?\"}}");
            JsonObject said = JsonNode.Parse((string)made["output"]![0]!["content"]![0]!["text"]!)!.AsObject();
            Assert.Single(said);
            _ = (bool)said["sure"]!;
            Assert.Equal("json_schema", (string)made["text"]!["format"]!["type"]!);
        }
    }

    [Fact]
    public async Task AFunctionThatIsNamedIsCalledOnce()
    {
        for (int i = 0; i < 12; i++)
        {
            JsonObject made = await silo.Http.PostAsync(Path, $$$"""{"tools":[{"type":"function","name":"now"}],"tool_choice":{"type":"function","name":"now"},"input":"Call {{{i}}}","max_output_tokens":400,"store":false}""");
            Assert.Equal("function_call", (string)Assert.Single(made["output"]!.AsArray())!["type"]!);
        }
    }

    [Theory]
    [InlineData("""{"input":"x","tools":[{"type":"web_search"}]}""", "web_search")]
    [InlineData("""{"input":"x","tools":[{"type":"function","name":"a b"}]}""", "'tools[0].name' is 'a b'")]
    [InlineData("""{"input":"x","tool_choice":"required"}""", "tool_choice")]
    [InlineData("""{"input":"x","tools":[{"type":"function","name":"a"}],"tool_choice":{"type":"function","name":"b"}}""", "'b'")]
    [InlineData("""{"input":"x","tools":[{"type":"function","name":"a"}],"tool_choice":"any"}""", "tool_choice")]
    [InlineData("""{"input":"x","tools":[{"type":"function","name":"a"}],"tool_choice":{"type":"allowed_tools","mode":"auto","tools":[{"type":"file_search"}]}}""", "tool_choice.tools[0]")]
    [InlineData("""{"input":[{"type":"function_call","name":"a","arguments":"{}"}]}""", "call_id")]
    [InlineData("""{"input":"x","text":{"format":{"type":"json_schema","schema":{"type":"object","dependentSchemas":{"a":{}}}}}}""", "dependentSchemas")]
    [InlineData("""{"input":[{"type":"computer_call","call_id":"a"}]}""", "computer_call")]
    public async Task AFaultIsNamed(string body, string named)
    {
        JsonObject answer = await silo.Http.PostAsync(Path, body, HttpStatusCode.BadRequest);
        Assert.Contains(named, (string)answer["error"]!["message"]!, StringComparison.Ordinal);
    }
}
