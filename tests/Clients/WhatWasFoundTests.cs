using System.IO.Compression;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;

namespace KvTiers.Clients.Tests;

/// <summary>What clients of others' servers send, and this one once refused, neglected or answered wrongly; each by its name.</summary>
[Collection(ClientsCollection.Name)]
public sealed class WhatWasFoundTests(ClientsServer server) : IDisposable
{
    private const string Chat = "/v1/chat/completions";

    private readonly HttpClient _http = new() { BaseAddress = server.Url, DefaultRequestHeaders = { Authorization = new AuthenticationHeaderValue("Bearer", ClientsServer.Key) } };

    public void Dispose() => _http.Dispose();

    [Theory]
    [InlineData("GET", "/", null)]
    [InlineData("HEAD", "/v1/models", null)]
    [InlineData("GET", "/health", null)]
    [InlineData("GET", "/version", null)]
    [InlineData("GET", "/openapi.json", null)]
    [InlineData("POST", "/tokenize", """{"content":"Hello"}""")]
    [InlineData("POST", "/detokenize", """{"tokens":[100]}""")]
    [InlineData("POST", "/apply-template", """{"messages":[{"role":"user","content":"Hello!"}]}""")]
    public async Task ARouteThatClientsCallIsThere(string method, string path, string? body)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        if (body is not null)
            request.Content = Json(body);
        using HttpResponseMessage response = await _http.SendAsync(request);

        Assert.True(response.IsSuccessStatusCode, $"{(int)response.StatusCode}: {await response.Content.ReadAsStringAsync()}");
    }

    [Fact]
    public async Task AWebPageOnThisMachineMayAskBeforehand()
    {
        using var request = new HttpRequestMessage(HttpMethod.Options, Chat)
        {
            Headers = { { "Origin", "http://localhost:3000" }, { "Access-Control-Request-Method", "POST" }, { "Access-Control-Request-Headers", "authorization, content-type" } },
        };
        using HttpResponseMessage response = await _http.SendAsync(request);

        Assert.True(response.IsSuccessStatusCode, $"{response.StatusCode}");
        Assert.Equal("http://localhost:3000", Assert.Single(response.Headers.GetValues("Access-Control-Allow-Origin")));
    }

    [Theory]
    [InlineData("app://obsidian.md")]
    [InlineData("vscode-webview://0a1b")]
    [InlineData("null")]
    public async Task AnOriginThatIsRefusedLearnsTheSetting(string origin)
    {
        await using SiloServer open = await SiloServer.StartAsync();
        using var request = new HttpRequestMessage(HttpMethod.Post, Chat) { Headers = { { "Origin", origin } }, Content = Json("{}") };
        using HttpResponseMessage response = await open.Http.SendAsync(request);

        Assert.Equal(HttpStatusCode.Forbidden, response.StatusCode);
        Assert.Contains("KvTiers:Cors:Origins", await response.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task AHostNameThatIsRefusedLearnsTheSetting()
    {
        await using SiloServer open = await SiloServer.StartAsync();
        using var request = new HttpRequestMessage(HttpMethod.Get, "/v1/models") { Headers = { Host = "host.docker.internal" } };
        using HttpResponseMessage response = await open.Http.SendAsync(request);

        Assert.Equal(HttpStatusCode.Forbidden, response.StatusCode);
        Assert.Contains("KvTiers:AllowedHosts", await response.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"max_tokens":4096}""", "choices.0.finish_reason", "stop")]
    [InlineData("""{"max_tokens":-1}""", "choices.0.finish_reason", "stop")]
    [InlineData("""{"n_predict":3}""", "usage.completion_tokens", "3")]
    [InlineData("""{"min_tokens":30,"max_tokens":30}""", "usage.completion_tokens", "30")]
    [InlineData("""{"ignore_eos":true,"max_tokens":30}""", "usage.completion_tokens", "30")]
    [InlineData("""{"truncate_prompt_tokens":8,"max_tokens":2}""", "usage.prompt_tokens", "8")]
    [InlineData("""{"cache_prompt":false}""", "usage.prompt_tokens_details.cached_tokens", "0")]
    [InlineData("""{"cache_salt":"another"}""", "usage.prompt_tokens_details.cached_tokens", "0")]
    [InlineData("""{"prompt_cache_key":"user@host, with spaces","n":2}""", "choices.1.index", "1")]
    [InlineData("""{"stop":" Marta","include_stop_str_in_output":true}""", "choices.0.message.content", "Hello Marta")]
    [InlineData("""{"use_beam_search":true,"n":2,"max_tokens":8}""", "choices.1.index", "1")]
    public async Task WhatAFieldAsksForIsDone(string fields, string path, string expected)
    {
        // What the cache has of it already must not help where a field forbids that.
        await AnswerAsync("{}");

        JsonNode? found = await AnswerAsync(fields);
        foreach (string step in path.Split('.'))
            found = int.TryParse(step, out int index) ? found![index] : found![step];
        Assert.Equal(expected, found!.ToString());
    }

    [Fact]
    public async Task BadWordsDoNotCome()
    {
        JsonNode answer = await AnswerAsync("""{"bad_words":["Hello"]}""");

        Assert.DoesNotContain("Hello", (string?)answer["choices"]![0]!["message"]!["content"], StringComparison.Ordinal);
    }

    [Fact]
    public async Task AStopTokenEndsTheAnswer()
    {
        JsonNode tokens = await PostAsync("/tokenize", """{"content":"Hello","add_special_tokens":false}""", HttpStatusCode.OK);
        JsonNode answer = await AnswerAsync($$"""{"stop_token_ids":{{tokens["tokens"]!.ToJsonString()}}}""");

        Assert.Equal(("stop", "1"), ((string?)answer["choices"]![0]!["finish_reason"], answer["usage"]!["completion_tokens"]!.ToString()));
    }

    [Fact]
    public async Task PromptLogProbsCome() => Assert.NotNull((await AnswerAsync("""{"prompt_logprobs":1}"""))["prompt_logprobs"]);

    [Theory]
    [InlineData("chat_template", "\"{{ messages }}\"")]
    [InlineData("verbosity", "\"low\"")]
    [InlineData("reasoning_effort", "\"high\"")]
    public async Task WhatIsNotDoneIsRefusedByName(string field, string value)
    {
        JsonNode error = (await PostAsync(Chat, Request($$"""{"{{field}}":{{value}}}"""), HttpStatusCode.BadRequest))["error"]!;

        Assert.Equal((field, "unsupported_parameter"), ((string?)error["param"], (string?)error["code"]));
    }

    [Fact]
    public async Task AMisspeltFieldIsRefusedWithTheNearestName()
    {
        JsonNode error = (await PostAsync(Chat, Request("""{"max_token":5}"""), HttpStatusCode.BadRequest))["error"]!;

        Assert.Equal(("max_token", "unknown_parameter"), ((string?)error["param"], (string?)error["code"]));
        Assert.Contains("'max_tokens'", (string?)error["message"], StringComparison.Ordinal);
    }

    [Fact]
    public async Task LogProbsAndTextAgreeWhereAStopStringCuts()
    {
        JsonNode choice = (await AnswerAsync("""{"stop":" Marta","logprobs":true}"""))["choices"]![0]!;

        string tokens = string.Concat(choice["logprobs"]!["content"]!.AsArray().Select(token => (string?)token!["token"]));
        Assert.Equal((string?)choice["message"]!["content"], tokens);
    }

    [Fact]
    public async Task ErrorsOfRangesHaveACodeAndNoWordsOfTheCode()
    {
        JsonNode range = (await PostAsync(Chat, Request("""{"temperature":3}"""), HttpStatusCode.BadRequest))["error"]!;
        Assert.NotNull(range["code"]);

        string words = string.Join(' ', Enumerable.Repeat("word", 3000));
        JsonNode length = (await PostAsync("/v1/completions", $$"""{"model":"demo","prompt":"{{words}}"}""", HttpStatusCode.BadRequest))["error"]!;
        Assert.Equal("context_length_exceeded", (string?)length["code"]);
        Assert.DoesNotContain("(Parameter", (string?)length["message"], StringComparison.Ordinal);
    }

    [Fact]
    public async Task ABodyMayBeCompressed()
    {
        using var packed = new MemoryStream();
        await using (var gzip = new GZipStream(packed, CompressionLevel.Fastest, leaveOpen: true))
            await gzip.WriteAsync(Encoding.UTF8.GetBytes(Request("{}")));
        using var content = new ByteArrayContent(packed.ToArray()) { Headers = { ContentType = new("application/json"), ContentEncoding = { "gzip" } } };
        using HttpResponseMessage response = await _http.PostAsync(Chat, content);

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
    }

    [Fact]
    public async Task InvalidUtf8IsCalledThat()
    {
        byte[] body = Encoding.UTF8.GetBytes(Request("{}"));
        body[Array.IndexOf(body, (byte)'M')] = 0xFF;
        using var content = new ByteArrayContent(body) { Headers = { ContentType = new("application/json") } };
        using HttpResponseMessage response = await _http.PostAsync(Chat, content);

        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        string text = await response.Content.ReadAsStringAsync();
        Assert.Contains("UTF-8", text, StringComparison.Ordinal);
        Assert.DoesNotContain("surrogate", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task TheRequestHasItsIdAndNoCostWithoutPrices()
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, Chat) { Headers = { { "x-request-id", "mine-1" } }, Content = Json(Request("{}")) };
        using HttpResponseMessage response = await _http.SendAsync(request);

        Assert.Equal("mine-1", Assert.Single(response.Headers.GetValues("x-request-id")));
        Assert.Null(JsonNode.Parse(await response.Content.ReadAsStringAsync())!["kvtiers"]!["cost"]);
    }

    private static StringContent Json(string body) => new(body, Encoding.UTF8, "application/json");

    // A chat that the demo model answers with "Hello Marta, …", and more fields.
    private static string Request(string fields)
    {
        JsonObject body = JsonNode.Parse("""{"model":"demo","temperature":0,"messages":[{"role":"user","content":"My name is Marta and I live in Lisbon."}]}""")!.AsObject();
        foreach ((string name, JsonNode? value) in JsonNode.Parse(fields)!.AsObject())
            body[name] = value?.DeepClone();
        return body.ToJsonString();
    }

    private Task<JsonNode> AnswerAsync(string fields) => PostAsync(Chat, Request(fields), HttpStatusCode.OK);

    private async Task<JsonNode> PostAsync(string path, string body, HttpStatusCode expected)
    {
        using HttpResponseMessage response = await _http.PostAsync(path, Json(body));
        string text = await response.Content.ReadAsStringAsync();
        Assert.True(response.StatusCode == expected, $"{(int)response.StatusCode}, not {(int)expected}: {text}");
        return JsonNode.Parse(text)!;
    }
}
