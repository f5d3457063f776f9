using System.Net;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using KvTiers.Client;
using Microsoft.Extensions.AI;

namespace KvTiers.Cli.Tests.Http;

public class KvTiersChatClientTests
{
    private const string Usage = """ "usage":{"prompt_tokens":30,"completion_tokens":2,"total_tokens":32,"prompt_tokens_details":{"cached_tokens":21}},"kvtiers":{"silo":"s","cached":{"hot":21,"ram":0,"disk":0,"redis":0},"computed":9}""";
    private const string Whole = """{"id":"chat-1","object":"chat.completion","created":1767323045,"model":"demo","choices":[{"index":0,"message":{"role":"assistant","content":"Hi."},"finish_reason":"length"}],""" + Usage + "}";

    private static readonly ChatMessage[] Hello = [new(ChatRole.User, "Hello")];

    [Fact]
    public async Task AResponseHasTextUsageAndWhatTheCacheDid()
    {
        ChatResponse response = await Over(new FakeServer(_ => FakeServer.Json(Whole))).GetResponseAsync(Hello);

        Assert.Equal(("Hi.", "chat-1", "demo"), (response.Text, response.ResponseId, response.ModelId));
        Assert.Equal(ChatFinishReason.Length, response.FinishReason);
        Assert.Equal(DateTimeOffset.FromUnixTimeSeconds(1767323045), response.CreatedAt);
        UsageDetails usage = response.Usage!;
        Assert.Equal((30L, 2L, 32L, 21L), (usage.InputTokenCount, usage.OutputTokenCount, usage.TotalTokenCount, usage.CachedInputTokenCount));
        Assert.Equal(9, ((JsonElement)response.AdditionalProperties!["kvtiers"]!).GetProperty("computed").GetInt32());
    }

    [Fact]
    public async Task AStreamAddsUpToTheSameResponse()
    {
        const string Head = """{"id":"chat-1","object":"chat.completion.chunk","created":1767323045,"model":"demo",""";
        var server = new FakeServer(_ => FakeServer.Events(
            Head + """ "choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}]}""",
            Head + """ "choices":[{"index":0,"delta":{"content":"H"},"finish_reason":null}]}""",
            Head + """ "choices":[{"index":0,"delta":{"content":"i."},"finish_reason":null}]}""",
            Head + """ "choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}""",
            Head + """ "choices":[],""" + Usage + "}",
            "[DONE]"));
        List<string> texts = [];
        List<ChatResponseUpdate> updates = [];

        await foreach (ChatResponseUpdate update in Over(server).GetStreamingResponseAsync(Hello))
        {
            updates.Add(update);
            texts.Add(update.Text);
        }

        Assert.Equal(["", "H", "i.", "", ""], texts);
        ChatResponse response = updates.ToChatResponse();
        Assert.Equal("Hi.", Assert.Single(response.Messages).Text);
        Assert.Equal(ChatFinishReason.Stop, response.FinishReason);
        Assert.Equal((30L, 21L), (response.Usage!.InputTokenCount, response.Usage.CachedInputTokenCount));
        Assert.True(updates[^1].AdditionalProperties!.ContainsKey("kvtiers"));
        Assert.True((bool)server.Requests[0].Body!["stream"]!);
        Assert.True((bool)server.Requests[0].Body!["stream_options"]!["include_usage"]!);
    }

    [Fact]
    public async Task OptionsAreSentUnderTheirNames()
    {
        var server = new FakeServer(_ => FakeServer.Json(Whole));
        var options = new ChatOptions
        {
            Instructions = "Be brief.",
            ModelId = "demo",
            Temperature = 0.5f,
            TopP = 0.25f,
            TopK = 40,
            MaxOutputTokens = 64,
            PresencePenalty = 1,
            FrequencyPenalty = -1,
            Seed = 7,
            StopSequences = ["\n"],
            AdditionalProperties = new() { ["conversation"] = "c1", ["min_p"] = 0.125 },
        };

        await Over(server).GetResponseAsync([new(ChatRole.User, "Hello"), new(ChatRole.Assistant, "Hi."), new(ChatRole.User, "Bye")], options);

        Assert.Equal(
            """{"messages":[{"role":"system","content":"Be brief."},{"role":"user","content":"Hello"},{"role":"assistant","content":"Hi."},{"role":"user","content":"Bye"}]"""
            + ""","model":"demo","temperature":0.5,"top_p":0.25,"top_k":40,"max_tokens":64,"presence_penalty":1,"frequency_penalty":-1,"seed":7,"stop":["\n"],"conversation":"c1","min_p":0.125}""",
            server.Requests[0].Body!.ToJsonString());
    }

    [Fact]
    public async Task TheModelOfTheOptionsIsTheDefault()
    {
        var server = new FakeServer(_ => FakeServer.Json(Whole));

        await new KvTiersChatClient(server.NewClient(), new KvTiersClientOptions { Model = "gpt2" }).GetResponseAsync(Hello);

        Assert.Equal("gpt2", (string?)server.Requests[0].Body!["model"]);
    }

    public static TheoryData<string, ChatOptions> Unsupported => new()
    {
        { "ConversationId", new ChatOptions { ConversationId = "c1" } },
        { "tools", new ChatOptions { Tools = [new HostedWebSearchTool()] } },
    };

    [Theory]
    [MemberData(nameof(Unsupported))]
    public async Task WhatTheServerCannotDoIsRefusedWithoutARequest(string what, ChatOptions options)
    {
        var server = new FakeServer(_ => FakeServer.Json(Whole));

        var exception = await Assert.ThrowsAsync<NotSupportedException>(() => Over(server).GetResponseAsync(Hello, options));

        Assert.Contains(what, exception.Message);
        Assert.Empty(server.Requests);
    }

    [Fact]
    public async Task FunctionsAndFormsAreSentUnderTheirNames()
    {
        var server = new FakeServer(_ => FakeServer.Json(Whole));
        AIFunctionDeclaration weather = AIFunctionFactory.CreateDeclaration("get_weather", "The weather.", JsonElement.Parse("""{"type":"object"}"""));
        ChatMessage[] messages =
        [
            .. Hello,
            new(ChatRole.Assistant, [new FunctionCallContent("c1", "get_weather", new Dictionary<string, object?> { ["city"] = "Lisbon" }), new FunctionCallContent("c2", "get_weather")]),
            new(ChatRole.Tool, [new FunctionResultContent("c1", "sunny"), new FunctionResultContent("c2", new[] { 1, 2 })]),
        ];

        await Over(server).GetResponseAsync(messages, new ChatOptions { Tools = [weather], ToolMode = ChatToolMode.RequireSpecific("get_weather"), AllowMultipleToolCalls = false });
        await Over(server).GetResponseAsync(Hello, new ChatOptions { ResponseFormat = ChatResponseFormat.Json });
        await Over(server).GetResponseAsync(Hello, new ChatOptions { ResponseFormat = ChatResponseFormat.ForJsonSchema(JsonElement.Parse("""{"type":"string"}"""), "word") });

        Assert.Equal(
            """{"messages":[{"role":"user","content":"Hello"},{"role":"assistant","content":"","tool_calls":[{"id":"c1","type":"function","function":{"name":"get_weather","arguments":"{\"city\":\"Lisbon\"}"}},"""
            + """{"id":"c2","type":"function","function":{"name":"get_weather","arguments":"{}"}}]},{"role":"tool","tool_call_id":"c1","content":"sunny"},{"role":"tool","tool_call_id":"c2","content":"[1,2]"}],"tools":"""
            + """[{"type":"function","function":{"name":"get_weather","description":"The weather.","parameters":{"type":"object","additionalProperties":false}}}],"tool_choice":{"type":"function","function":{"name":"get_weather"}},"parallel_tool_calls":false}""",
            Unescaped(server.Requests[0].Body!));
        Assert.Equal("""{"type":"json_object"}""", server.Requests[1].Body!["response_format"]!.ToJsonString());
        Assert.Equal("""{"type":"json_schema","json_schema":{"name":"word","schema":{"type":"string"},"strict":true}}""", server.Requests[2].Body!["response_format"]!.ToJsonString());
    }

    [Fact]
    public async Task CallsOfFunctionsAreContentOfTheResponse()
    {
        var server = new FakeServer(_ => FakeServer.Json(
            """{"id":"chat-1","choices":[{"index":0,"message":{"role":"assistant","content":null,"tool_calls":[{"id":"c1","type":"function","function":{"name":"f","arguments":"{\"a\":1}"}},{"id":"c2","type":"function","function":{"name":"g","arguments":"{"}}]},"finish_reason":"tool_calls"}]}"""));

        ChatResponse response = await Over(server).GetResponseAsync(Hello);

        Assert.Equal(ChatFinishReason.ToolCalls, response.FinishReason);
        FunctionCallContent[] calls = [.. response.Messages[0].Contents.OfType<FunctionCallContent>()];
        Assert.Equal(["c1 f", "c2 g"], calls.Select(call => $"{call.CallId} {call.Name}"));
        Assert.Equal("1", calls[0].Arguments!["a"]!.ToString());
        Assert.Null(calls[0].Exception);
        Assert.NotNull(calls[1].Exception);
    }

    [Fact]
    public async Task PiecesOfCallsComeAsWholeCalls()
    {
        static string Delta(string delta, string reason) => $$"""{"id":"chat-1","choices":[{"index":0,"delta":{{delta}},"finish_reason":{{reason}}}]}""";
        var server = new FakeServer(_ => FakeServer.Events(
            Delta("""{"tool_calls":[{"index":0,"id":"c1","type":"function","function":{"name":"f","arguments":""}}]}""", "null"),
            Delta("""{"tool_calls":[{"index":0,"function":{"arguments":"{\"a\":"}}]}""", "null"),
            Delta("""{"tool_calls":[{"index":1,"id":"c2","type":"function","function":{"name":"g","arguments":"{}"}}]}""", "null"),
            Delta("""{"tool_calls":[{"index":0,"function":{"arguments":"1}"}}]}""", "null"),
            Delta("{}", "\"tool_calls\""),
            "[DONE]"));

        List<ChatResponseUpdate> updates = [];
        await foreach (ChatResponseUpdate update in Over(server).GetStreamingResponseAsync(Hello))
            updates.Add(update);

        FunctionCallContent[] calls = [.. updates[^1].Contents.OfType<FunctionCallContent>()];
        Assert.Equal(["c1 f 1", "c2 g "], calls.Select(call => $"{call.CallId} {call.Name} {(call.Arguments!.TryGetValue("a", out object? a) ? a : null)}"));
        Assert.All(updates[..^1], update => Assert.Empty(update.Contents.OfType<FunctionCallContent>()));
    }

    [Fact]
    public async Task ContentThatIsNoTextIsRefused() => await Assert.ThrowsAsync<NotSupportedException>(() =>
        Over(new FakeServer(_ => FakeServer.Json(Whole)))
            .GetResponseAsync([new(ChatRole.User, [new DataContent(new byte[] { 1 }, "image/png")])]));

    [Fact]
    public async Task ErrorsComeAsExceptions()
    {
        var missing = new FakeServer(_ => FakeServer.Error(HttpStatusCode.NotFound, "There is no model 'x'.", "invalid_request_error", "model_not_found", "model"));

        var exception = await Assert.ThrowsAsync<KvTiersServerException>(() => Over(missing).GetResponseAsync(Hello));

        Assert.Equal(("There is no model 'x'.", "model_not_found"), (exception.Message, exception.Code));
    }

    [Fact]
    public void ItNamesItselfToMiddleware()
    {
        IChatClient client = Over(new FakeServer(_ => FakeServer.Json(Whole)));

        var metadata = client.GetService<ChatClientMetadata>()!;

        Assert.Equal(("kvtiers", new Uri("http://127.0.0.1:5080")), (metadata.ProviderName, metadata.ProviderUri));
        Assert.Same(client, client.GetService<KvTiersChatClient>());
        Assert.Null(client.GetService(typeof(ChatClientMetadata), "key"));
    }

    // The text of a JSON string may be escaped in more than one way.
    private static string Unescaped(JsonNode body) => body.ToJsonString(new JsonSerializerOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });

    private static KvTiersChatClient Over(FakeServer server) => new(server.NewClient(), new KvTiersClientOptions());
}
