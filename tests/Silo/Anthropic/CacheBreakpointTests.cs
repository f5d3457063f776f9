using System.Text;
using System.Text.Json.Nodes;
using KvTiers.Inference.Scheduling;
using KvTiers.Tests;
using Microsoft.Extensions.DependencyInjection;

namespace KvTiers.Silo.Tests.Anthropic;

[Collection(SiloCollection.Name)]
public sealed class CacheBreakpointTests(SharedSilo silo)
{
    private const string Path = "/v1/messages";
    private const string Short = """{"type":"ephemeral"}""";
    private const string Long = """{"type":"ephemeral","ttl":"1h"}""";

    [Fact]
    public async Task CreatedAndReadTokensEqualTheEnginesCounters()
    {
        string system = Words("created", 60);
        EngineSnapshot before = silo.Model.Engine.Snapshot();
        JsonObject first = await PostAsync(silo.Http, [(system, Short)], "one");
        EngineSnapshot between = silo.Model.Engine.Snapshot();
        JsonObject second = await PostAsync(silo.Http, [(system, Short)], "two");
        EngineSnapshot after = silo.Model.Engine.Snapshot();

        AssertCounts(first, between.ComputedTokens - before.ComputedTokens, between.CachedTokens - before.CachedTokens);
        AssertCounts(second, after.ComputedTokens - between.ComputedTokens, after.CachedTokens - between.CachedTokens);
        int marked = silo.Model.Chat.Encode([new("system", system), new("user", "x")], addGenerationPrompt: false).MessageEnds[0];
        Assert.Equal(marked, Usage(first, "cache_creation_input_tokens") + Usage(first, "cache_read_input_tokens"));
        Assert.Equal(0, Usage(second, "cache_creation_input_tokens"));
        Assert.True(Usage(second, "cache_read_input_tokens") >= marked);
    }

    [Fact]
    public async Task EachCreatedTokenCountsForTheFirstBreakpointAfterIt()
    {
        string rules = Words("rules", 40);
        string facts = Words("facts", 30);
        JsonObject answer = await PostAsync(silo.Http, [(rules, Long), (facts, Short)], "q");

        JsonObject split = answer["usage"]!["cache_creation"]!.AsObject();
        int fiveMinutes = (int)split["ephemeral_5m_input_tokens"]!;
        int oneHour = (int)split["ephemeral_1h_input_tokens"]!;
        Assert.Equal(Usage(answer, "cache_creation_input_tokens"), fiveMinutes + oneHour);
        Assert.InRange(oneHour + Usage(answer, "cache_read_input_tokens"), Tokens(rules), Tokens(rules) + 8);
        Assert.InRange(fiveMinutes, Tokens(facts) - 1, Tokens(facts) + 8);
    }

    [Fact]
    public async Task FourBreakpointsAreTakenAndAFifthIsRefused()
    {
        (string, string)[] four = [.. Enumerable.Range(0, 4).Select(i => (Words($"b{i}", 4), Short))];
        JsonObject answer = await PostAsync(silo.Http, four, "q");
        Assert.True(Usage(answer, "cache_creation_input_tokens") > 0);

        JsonObject refused = await PostAsync(silo.Http, [.. four, (Words("b4", 4), Short)], "q", System.Net.HttpStatusCode.BadRequest);
        Assert.Contains("system[4].cache_control", (string)refused["error"]!["message"]!, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AMarkOnTheWholeRequestStandsAtTheEndOfItsLastMessage()
    {
        string body = $$"""{"max_tokens":1,"cache_control":{"type":"ephemeral","ttl":"1h"},"messages":[{"role":"user","content":"{{Words("whole", 30)}}"}]}""";
        JsonObject answer = await silo.Http.PostAsync(Path, body);

        Assert.True((int)answer["usage"]!["cache_creation"]!["ephemeral_1h_input_tokens"]! > Tokens(Words("whole", 30)) - 2);
    }

    [Fact]
    public async Task AStreamTellsTheSameUsageAtItsStartAndItsEnd()
    {
        string body = $$"""{"max_tokens":2,"stream":true,"cache_control":{"type":"ephemeral"},"messages":[{"role":"user","content":"{{Words("streamed", 30)}}"}]}""";
        List<JsonNode> events = [.. (await silo.Http.StreamAsync(Path, body).ToListAsync()).Select(data => JsonNode.Parse(data)!)];

        JsonNode start = events[0]["message"]!["usage"]!;
        JsonNode end = events[^2]["usage"]!;
        Assert.True((int)start["cache_creation_input_tokens"]! > 0);
        foreach (string name in new[] { "input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens" })
            Assert.Equal((int)start[name]!, (int)end[name]!);
    }

    [Fact]
    public async Task AFiveMinuteBreakpointOutlivesPressureThatEvictsAllElseAndNotItsTime()
    {
        var time = new ManualTime();
        await using SiloServer server = await SiloServer.StartAsync(services => services.AddSingleton<TimeProvider>(time), "--hot", "1MiB");
        string kept = Words("kept", 40);
        string other = Words("other", 40);
        JsonObject made = await PostAsync(server.Http, [(kept, Short)], "q");
        await PostAsync(server.Http, [(other, "")], "q");
        int marked = Usage(made, "cache_creation_input_tokens");
        Assert.True(marked >= Tokens(kept));

        // Each use begins the five minutes anew.
        for (int round = 0; round < 2; round++)
        {
            await PressAsync(server, round);
            time.Advance(TimeSpan.FromMinutes(5) - TimeSpan.FromTicks(1));
            await PressAsync(server, round + 10);
            Assert.InRange(Usage(await PostAsync(server.Http, [(kept, "")], $"q{round}"), "cache_read_input_tokens"), marked, marked + 8);
            Assert.InRange(Usage(await PostAsync(server.Http, [(other, "")], $"q{round}"), "cache_read_input_tokens"), 0, 8);
        }

        time.Advance(TimeSpan.FromMinutes(5));
        await PressAsync(server, 20);
        Assert.InRange(Usage(await PostAsync(server.Http, [(kept, "")], "q"), "cache_read_input_tokens"), 0, 8);
    }

    [Fact]
    public async Task WhatHasNoRoomIsNotKeptAndTheRequestIsAnsweredAllTheSame()
    {
        await using SiloServer server = await SiloServer.StartAsync("--hot", "1MiB", "--KvTiers:BreakpointShare=0.05");
        string body = Body([(Words("small", 5), Short), (Words("large", 200), Short)], "q");
        using HttpResponseMessage response = await server.Http.PostAsync(Path, new StringContent(body, Encoding.UTF8, "application/json"));
        JsonObject answer = JsonNode.Parse(await response.Content.ReadAsStringAsync())!.AsObject();

        int pinned = int.Parse(response.Headers.GetValues("kvtiers-pinned-tokens").Single(), System.Globalization.CultureInfo.InvariantCulture);
        Assert.Equal(pinned, Usage(answer, "cache_creation_input_tokens"));
        Assert.InRange(pinned, 1, Tokens(Words("small", 5)) + 8);
        Assert.True(Usage(answer, "input_tokens") > Tokens(Words("large", 200)) - 2);
    }

    private static string Words(string seed, int count) => string.Join(' ', Enumerable.Range(0, count).Select(i => $"{seed}{i}"));

    private static int Usage(JsonObject answer, string name) => (int)answer["usage"]![name]!;

    private static void AssertCounts(JsonObject answer, long computed, long cached)
    {
        Assert.Equal(computed, Usage(answer, "input_tokens") + Usage(answer, "cache_creation_input_tokens"));
        Assert.Equal(cached, Usage(answer, "cache_read_input_tokens"));
    }

    // Prompts that share nothing, more of them than the hot tier holds.
    private static async Task PressAsync(SiloServer server, int round)
    {
        int room = (server.Model.Cache.Pool.Capacity + 16) * server.Model.Cache.Shape.BlockSize;
        for (int i = 0; room > 0; i++)
        {
            JsonObject answer = await server.Http.PostAsync(Path, $$"""{"max_tokens":1,"messages":[{"role":"user","content":"{{Words($"{round}.{i}.", 60)}}" }]}""");
            room -= Usage(answer, "input_tokens");
        }
    }

    private static Task<JsonObject> PostAsync(HttpClient http, (string Text, string Control)[] system, string question, System.Net.HttpStatusCode expected = System.Net.HttpStatusCode.OK) =>
        http.PostAsync(Path, Body(system, question), expected);

    private static string Body((string Text, string Control)[] system, string question)
    {
        var blocks = new JsonArray();
        foreach ((string text, string control) in system)
        {
            var block = new JsonObject { ["type"] = "text", ["text"] = text };
            if (control.Length > 0) block["cache_control"] = JsonNode.Parse(control);
            blocks.Add(block);
        }

        return new JsonObject
        {
            ["max_tokens"] = 1,
            ["system"] = blocks,
            ["messages"] = new JsonArray(new JsonObject { ["role"] = "user", ["content"] = question }),
        }.ToJsonString();
    }

    private int Tokens(string text) => silo.Model.Tokenizer.Encode(text).Length;
}
