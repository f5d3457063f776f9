using System.Text.Json.Nodes;

namespace KvTiers.Silo.Tests.OpenAi;

[Collection(SiloCollection.Name)]
public sealed class TextCompletionTests(SharedSilo silo)
{
    private const string Path = "/v1/completions";

    [Fact]
    public async Task APromptIsContinued()
    {
        JsonObject answer = await silo.Http.PostAsync(Path, """{"model":"tiny","prompt":"Once upon a time","max_tokens":5,"temperature":0}""");

        Assert.StartsWith("cmpl-", (string)answer["id"]!);
        Assert.Equal("text_completion", (string)answer["object"]!);
        JsonObject choice = Assert.Single(answer["choices"]!.AsArray())!.AsObject();
        Assert.True(choice.ContainsKey("logprobs") && choice["logprobs"] is null);
        Assert.InRange((int)answer["usage"]!["completion_tokens"]!, 1, 5);
        Assert.NotNull(answer["kvtiers"]);
    }

    [Fact]
    public async Task SixteenTokensAreTheDefault() =>
        Assert.InRange((int)(await silo.Http.PostAsync(Path, """{"prompt":"x","logit_bias":{"0":-100,"2":-100}}"""))["usage"]!["completion_tokens"]!, 16, 16);

    [Fact]
    public async Task TextAndItsTokenIdsAreTheSamePrompt()
    {
        int[] ids = silo.Model.Tokenizer.Encode("the same prompt");
        JsonObject text = await silo.Http.PostAsync(Path, """{"prompt":"the same prompt","max_tokens":6,"seed":1}""");
        JsonObject tokens = await silo.Http.PostAsync(Path, $$"""{"prompt":[{{string.Join(',', ids)}}],"max_tokens":6,"seed":1}""");

        Assert.Equal((string)text["choices"]![0]!["text"]!, (string)tokens["choices"]![0]!["text"]!);
        Assert.Equal(ids.Length, (int)text["usage"]!["prompt_tokens"]!);
    }

    [Fact]
    public async Task ManyPromptsWithManyAnswersAreOrderedByPrompt()
    {
        const string Parameters = "\"max_tokens\":6,\"seed\":4,\"n\":2";
        JsonObject all = await silo.Http.PostAsync(Path, $$"""{"prompt":["one prompt","and another"],{{Parameters}}}""");
        JsonObject second = await silo.Http.PostAsync(Path, $$"""{"prompt":"and another",{{Parameters}}}""");

        Assert.Equal([0, 1, 2, 3], all["choices"]!.AsArray().Select(choice => (int)choice!["index"]!));
        Assert.Equal(
            second["choices"]!.AsArray().Select(choice => (string)choice!["text"]!),
            all["choices"]!.AsArray().Skip(2).Select(choice => (string)choice!["text"]!));
    }

    [Fact]
    public async Task AnEchoWithLogProbabilitiesScoresThePrompt()
    {
        JsonObject answer = await silo.Http.PostAsync(Path, """{"prompt":"score this text","max_tokens":0,"echo":true,"logprobs":1}""");

        JsonObject choice = answer["choices"]![0]!.AsObject();
        Assert.Equal("score this text", (string)choice["text"]!);
        JsonObject logprobs = choice["logprobs"]!.AsObject();
        int count = (int)answer["usage"]!["prompt_tokens"]!;
        Assert.Equal(0, (int)answer["usage"]!["completion_tokens"]!);
        Assert.Equal("score this text", string.Concat(logprobs["tokens"]!.AsArray().Select(token => (string)token!)));
        Assert.Equal(count, logprobs["token_logprobs"]!.AsArray().Count);
        Assert.Null(logprobs["token_logprobs"]![0]);
        Assert.All(logprobs["token_logprobs"]!.AsArray().Skip(1), value => Assert.True((double)value! < 0));
        Assert.All(logprobs["top_logprobs"]!.AsArray().Skip(1), top => Assert.Single(top!.AsObject()));
        int[] offsets = [.. logprobs["text_offset"]!.AsArray().Select(offset => (int)offset!)];
        Assert.Equal(0, offsets[0]);
        Assert.Equal(offsets.Order(), offsets);
    }

    [Fact]
    public async Task AnEchoComesBeforeTheAnswer()
    {
        JsonObject answer = await silo.Http.PostAsync(Path, """{"prompt":"echo ","max_tokens":4,"echo":true,"seed":2,"logprobs":0}""");
        List<string> data = await silo.Http.StreamAsync(Path, """{"prompt":"echo ","max_tokens":4,"echo":true,"seed":2,"stream":true}""").ToListAsync();

        string text = (string)answer["choices"]![0]!["text"]!;
        Assert.StartsWith("echo ", text);
        Assert.True(text.Length > 5);
        Assert.Equal("[DONE]", data[^1]);
        Assert.Equal(text, string.Concat(data[..^1].Select(item => (string)JsonNode.Parse(item)!["choices"]![0]!["text"]!)));
        JsonArray tokens = answer["choices"]![0]!["logprobs"]!["tokens"]!.AsArray();
        Assert.Equal((int)answer["usage"]!["total_tokens"]!, tokens.Count);
    }

    [Fact]
    public async Task AStreamEndsWithTheReasonAndTheUsage()
    {
        List<string> data = await silo.Http.StreamAsync(
            Path, """{"prompt":"stream","max_tokens":4,"logprobs":2,"stream":true,"stream_options":{"include_usage":true}}""").ToListAsync();

        JsonObject usage = JsonNode.Parse(data[^2])!.AsObject();
        Assert.Empty(usage["choices"]!.AsArray());
        Assert.InRange((int)usage["usage"]!["completion_tokens"]!, 1, 4);
        Assert.NotNull(JsonNode.Parse(data[^3])!["choices"]![0]!["finish_reason"]);
        Assert.Equal(2, JsonNode.Parse(data[0])!["choices"]![0]!["logprobs"]!["top_logprobs"]![0]!.AsObject().Count);
    }
}
