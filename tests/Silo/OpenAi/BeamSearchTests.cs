using System.Net;
using System.Text.Json.Nodes;

namespace KvTiers.Silo.Tests.OpenAi;

/// <summary>Beam search on both completion routes.</summary>
[Collection(SiloCollection.Name)]
public sealed class BeamSearchTests(SharedSilo silo)
{
    [Theory]
    [InlineData("/v1/completions", "\"prompt\":\"Once upon a time\"", ",\"best_of\":6")]
    [InlineData("/v1/chat/completions", "\"messages\":[{\"role\":\"user\",\"content\":\"Once upon a time\"}]", "")]
    public async Task TheLikeliestAnswersComeTheBestFirstWhateverTheCacheDid(string path, string prompt, string beams)
    {
        string body = $$"""{{{prompt}},"max_tokens":12,"n":3,"use_beam_search":true{{beams}}""";
        string[] cold = Texts(await silo.Http.PostAsync(path, body + ",\"cache_prompt\":false}"));
        string[] first = Texts(await silo.Http.PostAsync(path, body + "}"));
        string[] again = Texts(await silo.Http.PostAsync(path, body + "}"));
        string[] longer = Texts(await silo.Http.PostAsync(path, body + ",\"length_penalty\":-4}"));

        Assert.Equal(3, cold.Distinct().Count());
        Assert.Equal(cold, first);
        Assert.Equal(cold, again);
        Assert.Equal(3, longer.Length);
    }

    [Fact]
    public async Task OneBeamIsTheGreedyAnswer()
    {
        JsonObject beam = await silo.Http.PostAsync("/v1/completions", """{"prompt":"Once upon a time","max_tokens":9,"use_beam_search":true}""");
        JsonObject greedy = await silo.Http.PostAsync("/v1/completions", """{"prompt":"Once upon a time","max_tokens":9,"temperature":0}""");

        Assert.Equal(Texts(greedy), Texts(beam));
        Assert.Equal((int)greedy["usage"]!["completion_tokens"]!, (int)beam["usage"]!["completion_tokens"]!);
    }

    [Theory]
    [InlineData("temperature", "0.5")]
    [InlineData("top_p", "0.5")]
    [InlineData("top_k", "5")]
    [InlineData("min_p", "0.5")]
    [InlineData("repetition_penalty", "1.1")]
    [InlineData("repeat_penalty", "1.1")]
    [InlineData("presence_penalty", "1")]
    [InlineData("frequency_penalty", "1")]
    [InlineData("logit_bias", "{\"5\":1}")]
    [InlineData("stop", "\"x\"")]
    [InlineData("stop_token_ids", "[5]")]
    [InlineData("bad_words", "[\"x\"]")]
    [InlineData("min_tokens", "1")]
    [InlineData("stream", "true")]
    [InlineData("logprobs", "1")]
    [InlineData("best_of", "1")]
    [InlineData("best_of", "65")]
    [InlineData("length_penalty", "10.5")]
    public async Task WhatABeamSearchDoesNotDoIsRefused(string param, string value)
    {
        JsonObject error = await silo.Http.PostAsync("/v1/completions", $$"""{"prompt":"a","n":2,"max_tokens":2,"use_beam_search":true,"{{param}}":{{value}}}""", HttpStatusCode.BadRequest);
        Assert.Equal(param, (string)error["error"]!["param"]!);
    }

    [Theory]
    [InlineData("n", "\"n\":65,\"use_beam_search\":true")]
    [InlineData("length_penalty", "\"length_penalty\":2")]
    [InlineData("use_beam_search", "\"use_beam_search\":true,\"conversation\":\"beams\"")]
    public async Task WhatMakesNoSenseInAChatIsRefused(string param, string fields)
    {
        JsonObject error = await silo.Http.PostAsync("/v1/chat/completions", $$"""{"messages":[{"role":"user","content":"a"}],"max_tokens":2,{{fields}}}""", HttpStatusCode.BadRequest);
        Assert.Equal(param, (string)error["error"]!["param"]!);
    }

    private static string[] Texts(JsonObject answer) =>
        [.. answer["choices"]!.AsArray().Select(choice => (string)(choice!["text"] ?? choice["message"]!["content"])!)];
}
