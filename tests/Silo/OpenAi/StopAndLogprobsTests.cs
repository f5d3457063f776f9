using System.Text.Json.Nodes;

namespace KvTiers.Silo.Tests.OpenAi;

/// <summary>A stop string and log probabilities agree about the text: a token that is no part of it is in neither.</summary>
[Collection(SiloCollection.Name)]
public sealed class StopAndLogprobsTests(SharedSilo silo)
{
    [Theory]
    [InlineData("")]
    [InlineData(""","conversation":"stops-and-logprobs" """)]
    public async Task TheTokensOfACutStopStringAreNotInTheLogProbabilities(string conversation)
    {
        string request = $$"""{"messages":[{"role":"user","content":"Tell"}],"max_tokens":40,"seed":5,{{silo.LettersOnly}}""";
        string whole = (string)(await silo.Http.PostAsync("/v1/chat/completions", request + "}"))["choices"]![0]!["message"]!["content"]!;
        for (int length = 1; length <= 4; length++)
        {
            string stop = whole.Substring(whole.Length / 2, length);
            string body = $"{request},\"logprobs\":true,\"stop\":[{JsonValue.Create(stop)!.ToJsonString()}]{conversation}";
            JsonObject choice = (await silo.Http.PostAsync("/v1/chat/completions", body + "}"))["choices"]![0]!.AsObject();
            List<JsonObject> chunks = await ChunksAsync("/v1/chat/completions", body);

            string text = (string)choice["message"]!["content"]!;
            Assert.Equal("stop", (string)choice["finish_reason"]!);
            Assert.DoesNotContain(stop, text);
            CheckTokens(text, [.. choice["logprobs"]!["content"]!.AsArray().Select(token => (string)token!["token"]!)]);
            Assert.Equal(text, string.Concat(chunks.Select(chunk => (string?)chunk["delta"]!["content"])));
            CheckTokens(text, [.. chunks.SelectMany(chunk => chunk["logprobs"]?["content"]!.AsArray() ?? []).Select(token => (string)token!["token"]!)]);
            // The first chunk brings the role, the last one the reason.
            Assert.All(chunks[1..^1], chunk => Assert.NotEmpty((string)chunk["delta"]!["content"]!));
        }
    }

    [Fact]
    public async Task TextCompletionsDoTheSame()
    {
        string request = $$"""{"prompt":"Tell","max_tokens":40,"seed":5,{{silo.LettersOnly}}""";
        string whole = (string)(await silo.Http.PostAsync("/v1/completions", request + "}"))["choices"]![0]!["text"]!;
        string stop = whole.Substring(whole.Length / 2, 3);
        string body = $"{request},\"logprobs\":0,\"stop\":[{JsonValue.Create(stop)!.ToJsonString()}]";
        JsonObject choice = (await silo.Http.PostAsync("/v1/completions", body + "}"))["choices"]![0]!.AsObject();
        List<JsonObject> chunks = await ChunksAsync("/v1/completions", body);

        string text = (string)choice["text"]!;
        CheckTokens(text, [.. choice["logprobs"]!["tokens"]!.AsArray().Select(token => (string)token!)]);
        Assert.Equal(choice["logprobs"]!["text_offset"]!.AsArray().Select(offset => (int)offset!), Offsets(choice["logprobs"]!["tokens"]!.AsArray()));
        Assert.Equal(text, string.Concat(chunks.Select(chunk => (string?)chunk["text"])));
        CheckTokens(text, [.. chunks.SelectMany(chunk => chunk["logprobs"]?["tokens"]!.AsArray() ?? []).Select(token => (string)token!)]);
        Assert.All(chunks[..^1], chunk => Assert.NotEmpty((string)chunk["text"]!));
    }

    // The tokens' texts joined begin with the text, and no whole token stands behind it.
    private static void CheckTokens(string text, string[] tokens)
    {
        Assert.All(tokens, token => Assert.False(token.StartsWith("bytes:", StringComparison.Ordinal)));
        Assert.StartsWith(text, string.Concat(tokens));
        Assert.True(string.Concat(tokens[..^1]).Length < text.Length, $"'{string.Join('|', tokens)}' for '{text}'");
    }

    private static IEnumerable<int> Offsets(JsonArray tokens)
    {
        int offset = 0;
        foreach (JsonNode? token in tokens)
        {
            yield return offset;
            offset += ((string)token!).Length;
        }
    }

    private async Task<List<JsonObject>> ChunksAsync(string path, string body)
    {
        List<string> data = await silo.Http.StreamAsync(path, body + ",\"stream\":true}").ToListAsync();
        return [.. data[..^1].Select(item => JsonNode.Parse(item)!["choices"]![0]!.AsObject())];
    }
}
