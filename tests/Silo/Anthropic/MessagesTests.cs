using System.Net;
using System.Net.ServerSentEvents;
using System.Text;
using System.Text.Json.Nodes;

namespace KvTiers.Silo.Tests.Anthropic;

[Collection(SiloCollection.Name)]
public sealed class MessagesTests(SharedSilo silo)
{
    private const string Path = "/v1/messages";

    [Fact]
    public async Task AnAnswerHasAnthropicsShape()
    {
        JsonObject answer = await silo.Http.PostAsync(Path, """
            {"model":"tiny","max_tokens":5,"temperature":0,"system":"Be brief.","metadata":{"user_id":"u"},"service_tier":"auto",
             "messages":[{"role":"user","content":"Hello"}]}
            """);

        Assert.StartsWith("msg_", (string)answer["id"]!);
        Assert.Equal("message", (string)answer["type"]!);
        Assert.Equal("assistant", (string)answer["role"]!);
        Assert.Equal("tiny", (string)answer["model"]!);
        JsonObject block = Assert.Single(answer["content"]!.AsArray())!.AsObject();
        Assert.Equal("text", (string)block["type"]!);
        Assert.NotEmpty((string)block["text"]!);
        Assert.Contains((string)answer["stop_reason"]!, new[] { "end_turn", "max_tokens" });
        Assert.All(["stop_sequence", "stop_details", "container"], name => Assert.True(answer.ContainsKey(name) && answer[name] is null, name));
        JsonObject usage = answer["usage"]!.AsObject();
        Assert.True((int)usage["input_tokens"]! > 0);
        Assert.Equal(0, (int)usage["cache_creation_input_tokens"]!);
        Assert.Equal(0, (int)usage["cache_creation"]!["ephemeral_5m_input_tokens"]!);
        Assert.Equal(0, (int)usage["cache_creation"]!["ephemeral_1h_input_tokens"]!);
        Assert.True(usage.ContainsKey("cache_read_input_tokens") && usage.ContainsKey("server_tool_use"));
        Assert.InRange((int)usage["output_tokens"]!, 1, 5);
        Assert.Equal("test-silo", (string)answer["kvtiers"]!["silo"]!);
    }

    [Fact]
    public async Task AStreamBringsAnthropicsEventsInTheirOrder()
    {
        const string Body = """{"max_tokens":8,"temperature":0,"messages":[{"role":"user","content":"Stream this"}]""";
        JsonObject whole = await silo.Http.PostAsync(Path, Body + "}");

        List<(string Name, JsonObject Data)> events = await EventsAsync(Body + ",\"stream\":true}");

        Assert.All(events, item => Assert.Equal(item.Name, (string)item.Data["type"]!));
        string[] names = [.. events.Select(item => item.Name)];
        Assert.Equal(["message_start", "ping", "content_block_start"], names[..3]);
        Assert.Equal(["content_block_stop", "message_delta", "message_stop"], names[^3..]);
        Assert.All(names[3..^3], name => Assert.Equal("content_block_delta", name));
        JsonObject message = events[0].Data["message"]!.AsObject();
        Assert.Empty(message["content"]!.AsArray());
        Assert.True(message.ContainsKey("stop_reason") && message["stop_reason"] is null);
        Assert.Equal(0, (int)message["usage"]!["output_tokens"]!);
        Assert.Equal("", (string)events[2].Data["content_block"]!["text"]!);
        Assert.All(events[2..^2], item => Assert.Equal(0, (int)item.Data["index"]!));
        Assert.Equal(Text(whole), string.Concat(events[3..^3].Select(item => (string)item.Data["delta"]!["text"]!)));
        Assert.All(events[3..^3], item => Assert.Equal("text_delta", (string)item.Data["delta"]!["type"]!));
        JsonObject end = events[^2].Data;
        Assert.Equal((string)whole["stop_reason"]!, (string)end["delta"]!["stop_reason"]!);
        Assert.Equal((int)whole["usage"]!["output_tokens"]!, (int)end["usage"]!["output_tokens"]!);
        Assert.Equal((int)message["usage"]!["cache_read_input_tokens"]!, (int)end["usage"]!["cache_read_input_tokens"]!);
        Assert.NotNull(end["kvtiers"]);
    }

    [Fact]
    public async Task BlocksAreReadAsTheirTextAndThinkingIsLeftOut()
    {
        JsonObject plain = await CountAsync("""{"system":"Be brief","messages":[{"role":"user","content":"one two"},{"role":"assistant","content":"three"},{"role":"user","content":"four"}]}""");
        JsonObject blocks = await CountAsync("""
            {"system":[{"type":"text","text":"Be "},{"type":"text","text":"brief"}],"messages":[
             {"role":"user","content":[{"type":"text","text":"one "},{"type":"text","text":"two"}]},
             {"role":"assistant","content":[{"type":"thinking","thinking":"hm","signature":"x"},{"type":"redacted_thinking","data":"y"},{"type":"text","text":"three"}]},
             {"role":"user","content":"four"}]}
            """);
        JsonObject joined = await CountAsync("""{"system":"Be brief","messages":[{"role":"user","content":"one"},{"role":"user","content":"two"}]}""");
        JsonObject empty = await CountAsync("""{"system":"Be brief","messages":[{"role":"user","content":"one\n\ntwo"}]}""");

        Assert.Equal((int)plain["input_tokens"]!, (int)blocks["input_tokens"]!);
        Assert.Equal((int)empty["input_tokens"]!, (int)joined["input_tokens"]!);
    }

    [Fact]
    public async Task TheCountIsThatOfTheAnswer()
    {
        const string Prompt = "\"system\":\"Count me\",\"messages\":[{\"role\":\"user\",\"content\":\"How many?\"}]";
        JsonObject count = await CountAsync("{" + Prompt + "}");
        JsonObject usage = (await silo.Http.PostAsync(Path, "{\"max_tokens\":1," + Prompt + "}"))["usage"]!.AsObject();

        Assert.Equal((int)count["input_tokens"]!, (int)usage["input_tokens"]! + (int)usage["cache_read_input_tokens"]! + (int)usage["cache_creation_input_tokens"]!);
    }

    [Fact]
    public async Task AStopSequenceEndsTheAnswerAndIsNamed()
    {
        const string Body = """{"max_tokens":40,"temperature":0,"messages":[{"role":"user","content":"Tell me much"}]""";
        string whole = Text(await silo.Http.PostAsync(Path, Body + "}"));
        string stop = whole.Trim()[1..3];
        Assert.NotEqual("", stop.Trim());

        JsonObject answer = await silo.Http.PostAsync(Path, Body + $",\"stop_sequences\":[{JsonValue.Create(stop).ToJsonString()}]}}");

        Assert.Equal("stop_sequence", (string)answer["stop_reason"]!);
        Assert.Equal(stop, (string)answer["stop_sequence"]!);
        Assert.Equal(whole[..whole.IndexOf(stop, StringComparison.Ordinal)], answer["content"]!.AsArray().Count == 0 ? "" : Text(answer));
    }

    [Fact]
    public async Task AnAnswerGoesOnFromALastMessageOfTheAssistant()
    {
        const string Start = """{"max_tokens":6,"temperature":0,"messages":[{"role":"user","content":"Say it"}""";
        JsonObject whole = await silo.Http.PostAsync(Path, Start + "]}");
        int count = (int)(await CountAsync("""{"messages":[{"role":"user","content":"Say it"}]}"""))["input_tokens"]!;
        int prefilled = (int)(await CountAsync("""{"messages":[{"role":"user","content":"Say it"},{"role":"assistant","content":"So"}]}"""))["input_tokens"]!;
        JsonObject rest = await silo.Http.PostAsync(Path, Start + """,{"role":"assistant","content":"So"}]}""");

        // Nothing but the text follows what makes the model answer.
        Assert.Equal(count + silo.Model.Tokenizer.Encode("So").Length, prefilled);
        Assert.NotEqual(Text(whole), Text(rest));
    }

    [Fact]
    public async Task NoTokensAskedForComputesThePromptAlone()
    {
        const string Prompt = "\"messages\":[{\"role\":\"user\",\"content\":\"Warm this prompt, which is long enough for more than one block of the cache.\"}]}";
        JsonObject warm = await silo.Http.PostAsync(Path, "{\"max_tokens\":0," + Prompt);
        JsonObject second = await silo.Http.PostAsync(Path, "{\"max_tokens\":1," + Prompt);

        Assert.Empty(warm["content"]!.AsArray());
        Assert.Equal("max_tokens", (string)warm["stop_reason"]!);
        Assert.Equal(0, (int)warm["usage"]!["output_tokens"]!);
        Assert.Equal(1, (int)second["usage"]!["input_tokens"]!);
    }

    [Theory]
    [InlineData("""{"messages":[{"role":"user","content":"x"}]}""", "max_tokens")]
    [InlineData("""{"max_tokens":-1,"messages":[{"role":"user","content":"x"}]}""", "max_tokens")]
    [InlineData("""{"max_tokens":1,"messages":[]}""", "messages")]
    [InlineData("""{"max_tokens":1,"messages":[{"role":"tool","content":"x"}]}""", "messages[0].role")]
    [InlineData("""{"max_tokens":1,"messages":[{"role":"user","content":7}]}""", "messages[0].content")]
    [InlineData("""{"max_tokens":1,"messages":[{"role":"user","content":[{"type":"image","source":{}}]}]}""", "image")]
    [InlineData("""{"max_tokens":1,"messages":[{"role":"user","content":[{"type":"document","source":{}}]}]}""", "document")]
    [InlineData("""{"max_tokens":1,"messages":[{"role":"user","content":[{"type":"thinking","thinking":"x"}]}]}""", "thinking")]
    [InlineData("""{"max_tokens":1,"messages":[{"role":"user","content":[{"type":"text","text":"x","txt":1}]}]}""", "txt")]
    [InlineData("""{"max_tokens":1,"temperature":1.5,"messages":[{"role":"user","content":"x"}]}""", "temperature")]
    [InlineData("""{"max_tokens":1,"stop_sequences":[" "],"messages":[{"role":"user","content":"x"}]}""", "stop_sequences")]
    [InlineData("""{"max_tokens":1,"thinking":{"type":"enabled","budget_tokens":1024},"messages":[{"role":"user","content":"x"}]}""", "thinking")]
    [InlineData("""{"max_tokens":1,"max_token":1,"messages":[{"role":"user","content":"x"}]}""", "max_token")]
    [InlineData("""{"max_tokens":1,"mcp_servers":[{}],"messages":[{"role":"user","content":"x"}]}""", "mcp_servers")]
    [InlineData("""{"max_tokens":1,"messages":[{"role":"user","content":[{"type":"text","text":"x","cache_control":{"type":"ephemeral","ttl":"2h"}}]}]}""", "ttl")]
    [InlineData("""{"max_tokens":1,"messages":[{"role":"user","content":[{"type":"text","text":"x","cache_control":{"type":"lasting"}}]}]}""", "cache_control")]
    public async Task AFaultIsToldInAnthropicsSchemaAndNamesTheField(string body, string named)
    {
        using HttpResponseMessage response = await silo.Http.PostAsync(Path, new StringContent(body, Encoding.UTF8, "application/json"));
        JsonObject answer = JsonNode.Parse(await response.Content.ReadAsStringAsync())!.AsObject();

        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.Equal("error", (string)answer["type"]!);
        Assert.Equal("invalid_request_error", (string)answer["error"]!["type"]!);
        Assert.Contains(named, (string)answer["error"]!["message"]!, StringComparison.Ordinal);
        Assert.Equal(response.Headers.GetValues("request-id").Single(), (string)answer["request_id"]!);
    }

    [Fact]
    public async Task OtherFaultsHaveTheirKindsAndEveryAnswerARequestId()
    {
        JsonObject unknown = await silo.Http.PostAsync(Path, """{"model":"other","max_tokens":1,"messages":[{"role":"user","content":"x"}]}""", HttpStatusCode.NotFound);
        Assert.Equal("not_found_error", (string)unknown["error"]!["type"]!);
        JsonObject method = await silo.Http.GetJsonAsync(Path, HttpStatusCode.MethodNotAllowed);
        Assert.Equal("invalid_request_error", (string)method["error"]!["type"]!);
        string[] ids = new string[2];
        for (int i = 0; i < ids.Length; i++)
        {
            using HttpResponseMessage response = await silo.Http.PostAsync(Path, new StringContent("""{"max_tokens":1,"messages":[{"role":"user","content":"x"}]}""", Encoding.UTF8, "application/json"));
            ids[i] = response.Headers.GetValues("request-id").Single();
        }

        Assert.NotEqual(ids[0], ids[1]);
    }

    [Fact]
    public async Task APromptThatIsTooLongIsRefusedByItsLength()
    {
        string text = string.Concat(Enumerable.Repeat("word ", 9000));
        JsonObject answer = await silo.Http.PostAsync(Path, $$"""{"max_tokens":1,"messages":[{"role":"user","content":"{{text}}"}]}""", HttpStatusCode.BadRequest);

        Assert.Contains("4095", (string)answer["error"]!["message"]!, StringComparison.Ordinal);
    }

    private static string Text(JsonObject answer) => (string)answer["content"]![0]!["text"]!;

    private Task<JsonObject> CountAsync(string body) => silo.Http.PostAsync(Path + "/count_tokens", body);

    private async Task<List<(string Name, JsonObject Data)>> EventsAsync(string body)
    {
        using HttpResponseMessage response = await silo.Http.PostAsync(Path, new StringContent(body, Encoding.UTF8, "application/json"));
        Assert.Equal("text/event-stream", response.Content.Headers.ContentType?.MediaType);
        await using Stream stream = await response.Content.ReadAsStreamAsync();
        return [.. (await SseParser.Create(stream).EnumerateAsync().ToListAsync()).Select(item => (item.EventType, JsonNode.Parse(item.Data)!.AsObject()))];
    }
}
