using System.Text.Json.Nodes;

namespace KvTiers.Silo.Tests.OpenAi;

[Collection(SiloCollection.Name)]
public sealed class ChatCompletionTests(SharedSilo silo)
{
    private const string Path = "/v1/chat/completions";

    [Fact]
    public async Task AnAnswerHasOpenAisShape()
    {
        JsonObject answer = await silo.Http.PostAsync(Path, """{"model":"tiny","messages":[{"role":"user","content":"Hello"}],"max_tokens":5,"temperature":0}""");

        Assert.StartsWith("chatcmpl-", (string)answer["id"]!);
        Assert.Equal("chat.completion", (string)answer["object"]!);
        Assert.Equal("tiny", (string)answer["model"]!);
        Assert.StartsWith("fp_", (string)answer["system_fingerprint"]!);
        Assert.InRange((long)answer["created"]!, 1_700_000_000, 9_999_999_999);
        JsonObject choice = Assert.Single(answer["choices"]!.AsArray())!.AsObject();
        Assert.Equal(0, (int)choice["index"]!);
        Assert.Equal("assistant", (string)choice["message"]!["role"]!);
        Assert.NotNull((string)choice["message"]!["content"]!);
        Assert.True(choice.ContainsKey("logprobs") && choice["logprobs"] is null);
        Assert.Contains((string)choice["finish_reason"]!, new[] { "stop", "length" });
        JsonObject usage = answer["usage"]!.AsObject();
        Assert.Equal((int)usage["prompt_tokens"]! + (int)usage["completion_tokens"]!, (int)usage["total_tokens"]!);
        Assert.InRange((int)usage["completion_tokens"]!, 1, 5);
        JsonObject kvtiers = answer["kvtiers"]!.AsObject();
        Assert.False(kvtiers.ContainsKey("conversation"));
        Assert.Equal("test-silo", (string)kvtiers["silo"]!);
        Assert.Equal((int)usage["prompt_tokens"]!, (int)kvtiers["computed"]! + (int)kvtiers["cached"]!["hot"]!);
        Assert.Equal(0, (int)kvtiers["cached"]!["ram"]!);
        Assert.Equal(0, (int)kvtiers["invalidated"]!);
        Assert.True((double)kvtiers["ttft_ms"]! > 0);
        Assert.Equal("EUR", (string)kvtiers["cost"]!["currency"]!);
        Assert.True((double)kvtiers["cost"]!["total"]! > 0);
    }

    [Fact]
    public async Task AStreamBringsTheRoleThenTextThenTheReasonThenTheUsageThenDone()
    {
        const string Body = """{"messages":[{"role":"user","content":"Stream this"}],"max_tokens":8,"temperature":0,""";
        string whole = Text(await silo.Http.PostAsync(Path, Body + "\"user\":\"u\"}"));

        List<string> data = await silo.Http.StreamAsync(Path, Body + """ "stream":true,"stream_options":{"include_usage":true}}""").ToListAsync();

        Assert.Equal("[DONE]", data[^1]);
        List<JsonObject> chunks = [.. data[..^1].Select(item => JsonNode.Parse(item)!.AsObject())];
        Assert.Single(chunks.Select(chunk => (string)chunk["id"]!).Distinct());
        Assert.All(chunks, chunk => Assert.Equal("chat.completion.chunk", (string)chunk["object"]!));
        JsonObject first = chunks[0]["choices"]![0]!.AsObject();
        Assert.Equal("assistant", (string)first["delta"]!["role"]!);
        Assert.True(first.ContainsKey("finish_reason") && first["finish_reason"] is null);
        Assert.All(chunks[1..], chunk => Assert.True(chunk["choices"]!.AsArray().Count == 0 || chunk["choices"]![0]!["delta"]!["role"] is null));
        Assert.Equal(whole, string.Concat(chunks[..^1].Select(chunk => (string?)chunk["choices"]![0]!["delta"]!["content"])));
        Assert.NotNull(chunks[^2]["choices"]![0]!["finish_reason"]);
        Assert.Empty(chunks[^1]["choices"]!.AsArray());
        Assert.InRange((int)chunks[^1]["usage"]!["completion_tokens"]!, 1, 8);
        Assert.NotNull(chunks[^1]["kvtiers"]);
        Assert.All(chunks[..^1], chunk => Assert.False(chunk.ContainsKey("kvtiers")));
    }

    [Fact]
    public async Task WithoutTheUsageChunkTheLastChunkCarriesTheCacheReport()
    {
        List<string> data = await silo.Http.StreamAsync(Path, """{"messages":[{"role":"user","content":"Hi"}],"max_tokens":3,"stream":true}""").ToListAsync();

        JsonObject last = JsonNode.Parse(data[^2])!.AsObject();
        Assert.NotNull(last["choices"]![0]!["finish_reason"]);
        Assert.NotNull(last["kvtiers"]);
        Assert.DoesNotContain(data, item => item.Contains("\"usage\"", StringComparison.Ordinal));
    }

    [Fact]
    public async Task TheSamePromptIsFoundButForItsLastToken()
    {
        const string Body = """{"messages":[{"role":"user","content":"A prompt that is asked twice, and long enough for several blocks of the cache."}],"max_tokens":4,"seed":3}""";
        JsonObject first = await silo.Http.PostAsync(Path, Body);
        JsonObject second = await silo.Http.PostAsync(Path, Body);

        Assert.Equal(Text(first), Text(second));
        int prompt = (int)second["usage"]!["prompt_tokens"]!;
        Assert.Equal(prompt - 1, (int)second["usage"]!["prompt_tokens_details"]!["cached_tokens"]!);
        Assert.Equal(1, (int)second["kvtiers"]!["computed"]!);
    }

    [Fact]
    public async Task TurnTwoOfANamedConversationFindsEveryTokenOfTurnOne()
    {
        JsonObject first = await TurnAsync("turn-two", Message("user", "My name is Ada and I live in Ulm."));
        JsonObject second = await TurnAsync(
            "turn-two", Message("user", "My name is Ada and I live in Ulm."), Message("assistant", Text(first)), Message("user", "Where do I live?"));

        Assert.Equal("turn-two", (string)second["kvtiers"]!["conversation"]!);
        Assert.Equal(0, (int)second["kvtiers"]!["invalidated"]!);
        int turnOne = (int)first["usage"]!["total_tokens"]!;
        Assert.InRange((int)second["usage"]!["prompt_tokens_details"]!["cached_tokens"]!, turnOne - 1, turnOne);
    }

    [Fact]
    public async Task AnEditKeepsWhatStandsBeforeItAndEditingBackFindsEverything()
    {
        JsonObject system = Message("system", "You answer in one short sentence, kindly, and never lie.");
        JsonObject first = await TurnAsync("edited", system, Message("user", "I have a cat called Mia."));
        JsonObject edited = await TurnAsync("edited", system, Message("user", "I have a dog called Rex."));
        JsonObject back = await TurnAsync("edited", system, Message("user", "I have a cat called Mia."));

        int[] before = silo.Model.Chat.Encode([new("system", (string)system["content"]!), new("user", "I have a cat called Mia.")], true).Ids;
        int[] after = silo.Model.Chat.Encode([new("system", (string)system["content"]!), new("user", "I have a dog called Rex.")], true).Ids;
        int common = before.AsSpan().CommonPrefixLength(after);
        Assert.Equal(common, (int)edited["usage"]!["prompt_tokens_details"]!["cached_tokens"]!);
        Assert.True((int)edited["kvtiers"]!["invalidated"]! > 0);
        Assert.Equal(Text(first), Text(back));
        Assert.Equal(before.Length - 1, (int)back["usage"]!["prompt_tokens_details"]!["cached_tokens"]!);
    }

    [Fact]
    public async Task SeveralAnswersShareOnePrompt()
    {
        JsonObject answer = await silo.Http.PostAsync(Path, """{"messages":[{"role":"user","content":"Three ways to say hello"}],"n":3,"max_tokens":6,"seed":11}""");

        Assert.Equal([0, 1, 2], answer["choices"]!.AsArray().Select(choice => (int)choice!["index"]!));
        Assert.True(answer["choices"]!.AsArray().Select(choice => (string)choice!["message"]!["content"]!).Distinct().Count() > 1);
        List<string> data = await silo.Http.StreamAsync(Path, """{"messages":[{"role":"user","content":"Three ways to say hello"}],"n":3,"max_tokens":6,"seed":11,"stream":true}""").ToListAsync();
        var texts = new Dictionary<int, string> { [0] = "", [1] = "", [2] = "" };
        foreach (string item in data[..^1])
            foreach (JsonNode? choice in JsonNode.Parse(item)!["choices"]!.AsArray()) texts[(int)choice!["index"]!] += (string?)choice["delta"]!["content"];

        Assert.Equal(answer["choices"]!.AsArray().Select(choice => (string)choice!["message"]!["content"]!), texts.Values);
    }

    [Theory]
    [InlineData("")]
    [InlineData(""","conversation":"with-logprobs" """)]
    public async Task LogProbabilitiesComeWithEveryToken(string conversation)
    {
        string body = $$"""{"messages":[{"role":"user","content":"Hi there"}],"max_tokens":6,"temperature":0,"logprobs":true,"top_logprobs":2{{conversation}}""";
        JsonObject answer = await silo.Http.PostAsync(Path, body + "}");

        JsonArray tokens = answer["choices"]![0]!["logprobs"]!["content"]!.AsArray();
        Assert.NotEmpty(tokens);
        Assert.All(tokens, token =>
        {
            Assert.True((double)token!["logprob"]! <= 0);
            Assert.NotEmpty(token["bytes"]!.AsArray());
            Assert.Equal(2, token["top_logprobs"]!.AsArray().Count);
            // Greedy: the token is the likeliest one.
            Assert.Equal((double)token["top_logprobs"]![0]!["logprob"]!, (double)token["logprob"]!);
        });
    }

    [Fact]
    public async Task AStopStringEndsTheAnswerBeforeIt()
    {
        string whole = Text(await silo.Http.PostAsync(Path, """{"messages":[{"role":"user","content":"Tell me much"}],"max_tokens":40,"seed":5}"""));
        string stop = whole.Substring(whole.Length / 2, 2);
        JsonObject answer = await silo.Http.PostAsync(Path, new JsonObject
        {
            ["messages"] = new JsonArray(Message("user", "Tell me much")),
            ["max_tokens"] = 40,
            ["seed"] = 5,
            ["stop"] = stop,
        }.ToJsonString());

        Assert.Equal("stop", (string)answer["choices"]![0]!["finish_reason"]!);
        Assert.Equal(whole[..whole.IndexOf(stop, StringComparison.Ordinal)], Text(answer));
    }

    [Fact]
    public async Task ContentMayComeInTextParts()
    {
        JsonObject parts = await silo.Http.PostAsync(Path, """{"messages":[{"role":"developer","content":[{"type":"text","text":"Be "},{"type":"text","text":"brief"}]},{"role":"user","content":"x"}],"max_tokens":3,"temperature":0}""");
        JsonObject plain = await silo.Http.PostAsync(Path, """{"messages":[{"role":"system","content":"Be brief"},{"role":"user","content":"x"}],"max_completion_tokens":3,"temperature":0}""");

        Assert.Equal((int)plain["usage"]!["prompt_tokens"]!, (int)parts["usage"]!["prompt_tokens"]!);
        Assert.Equal(Text(plain), Text(parts));
    }

    [Theory]
    [InlineData("")]
    [InlineData(""","conversation":"biased" """)]
    public async Task ABiasForcesAToken(string conversation)
    {
        int id = silo.Model.Tokenizer.Encode("e")[0];
        JsonObject answer = await silo.Http.PostAsync(Path, $$"""{"messages":[{"role":"user","content":"x"}],"max_tokens":4,"temperature":0,"logit_bias":{"{{id}}":100 }{{conversation}}}""");

        Assert.Equal("eeee", Text(answer));
    }

    [Fact]
    public async Task EightStreamsAtOnceAnswerAsEachAloneDoes()
    {
        string Body(int i, bool stream) => $$"""{"messages":[{"role":"system","content":"One prompt that all of them share, long enough for blocks."},{"role":"user","content":"Number {{i}}"}],"max_tokens":24,"seed":{{i}},"stream":{{(stream ? "true" : "false")}}}""";
        string[] alone = new string[8];
        for (int i = 0; i < 8; i++) alone[i] = Text(await silo.Http.PostAsync(Path, Body(i, stream: false)));

        string[] together = await Task.WhenAll(Enumerable.Range(0, 8).Select(async i =>
        {
            var text = new System.Text.StringBuilder();
            await foreach (string item in silo.Http.StreamAsync(Path, Body(i, stream: true)))
                if (item != "[DONE]") text.Append((string?)JsonNode.Parse(item)!["choices"]![0]!["delta"]!["content"]);

            return text.ToString();
        }));

        Assert.Equal(alone, together);
    }

    [Fact]
    public async Task AHundredConversationsHoldTheirSharedSystemPromptOnce()
    {
        string system = string.Concat(Enumerable.Range(0, 130).Select(i => $"rule {i} "));
        int blockSize = silo.Model.Cache.Shape.BlockSize;
        int shared = silo.Model.Chat.Encode([new("system", system)], addGenerationPrompt: false).Ids.Length;
        Assert.InRange(shared, 500, 2_000);
        long sealedBefore = silo.Model.Cache.Snapshot().Totals.SealedBlocks;
        await Task.WhenAll(Enumerable.Range(0, 100).Select(i => silo.Http.PostAsync(Path, new JsonObject
        {
            ["messages"] = new JsonArray(Message("system", system), Message("user", $"{i}")),
            ["conversation"] = $"one-of-100-{i}",
            ["max_tokens"] = 1,
        }.ToJsonString())));

        // Blocks that two conversations computed at the same time are freed when they are sealed, and are not among these.
        long kept = silo.Model.Cache.Snapshot().Totals.SealedBlocks - sealedBefore;

        // Each conversation's own tokens may fill two blocks of their own beyond the shared ones.
        Assert.InRange(kept, shared / blockSize, (shared / blockSize) + 200);
    }

    private static JsonObject Message(string role, string content) => new() { ["role"] = role, ["content"] = content };

    private static string Text(JsonObject answer) => (string)answer["choices"]![0]!["message"]!["content"]!;

    private Task<JsonObject> TurnAsync(string conversation, params JsonNode[] messages) => silo.Http.PostAsync(Path, new JsonObject
    {
        ["messages"] = new JsonArray([.. messages.Select(message => message.DeepClone())]),
        ["conversation"] = conversation,
        ["max_tokens"] = 6,
        ["temperature"] = 0,
    }.ToJsonString());
}
