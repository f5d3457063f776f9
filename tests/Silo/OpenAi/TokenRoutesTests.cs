using System.Net;
using System.Text.Json.Nodes;

namespace KvTiers.Silo.Tests.OpenAi;

[Collection(SiloCollection.Name)]
public sealed class TokenRoutesTests(SharedSilo silo)
{
    [Fact]
    public async Task ATextIsTokenizedInBothShapes()
    {
        int[] ids = silo.Model.Tokenizer.Encode("Hello there");
        JsonObject vllm = await silo.Http.PostAsync("/tokenize", """{"model":"tiny","prompt":"Hello there","return_token_strs":true}""");
        JsonObject llama = await silo.Http.PostAsync("/tokenize", """{"content":"Hello there","with_pieces":true}""");

        Assert.Equal(ids, vllm["tokens"]!.AsArray().Select(id => (int)id!));
        Assert.Equal(ids.Length, (int)vllm["count"]!);
        Assert.Equal(4096, (int)vllm["max_model_len"]!);
        Assert.Equal("Hello there", string.Concat(vllm["token_strs"]!.AsArray().Select(text => (string)text!).Skip(ids.Length - silo.Model.Tokenizer.Encode("Hello there", addSpecial: false).Length)));
        Assert.Equal(ids, llama["tokens"]!.AsArray().Select(token => (int)token!["id"]!));
        Assert.Equal(vllm["token_strs"]!.AsArray().Select(text => (string)text!), llama["tokens"]!.AsArray().Select(token => (string)token!["piece"]!));
    }

    [Fact]
    public async Task AChatIsTokenizedAsItIsAnswered()
    {
        const string Messages = "\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]";
        JsonObject tokens = await silo.Http.PostAsync("/tokenize", $"{{{Messages}}}");
        JsonObject answer = await silo.Http.PostAsync("/v1/chat/completions", $"{{{Messages},\"max_tokens\":1}}");
        JsonObject template = await silo.Http.PostAsync("/apply-template", $"{{{Messages}}}");
        JsonObject closed = await silo.Http.PostAsync("/apply-template", $"{{{Messages},\"add_generation_prompt\":false}}");

        Assert.Equal((int)answer["usage"]!["prompt_tokens"]!, (int)tokens["count"]!);
        Assert.Contains("Hi", (string)template["prompt"]!);
        Assert.StartsWith((string)closed["prompt"]!, (string)template["prompt"]!);
        Assert.True(((string)closed["prompt"]!).Length < ((string)template["prompt"]!).Length);
    }

    [Fact]
    public async Task TokensBecomeTextAgain()
    {
        int[] ids = silo.Model.Tokenizer.Encode("Grüße, 世界", addSpecial: false);
        JsonObject text = await silo.Http.PostAsync("/detokenize", $$"""{"tokens":[{{string.Join(',', ids)}}]}""");

        Assert.Equal("Grüße, 世界", (string)text["prompt"]!);
        Assert.Equal("Grüße, 世界", (string)text["content"]!);
    }

    [Theory]
    [InlineData("/tokenize", "{}", "prompt")]
    [InlineData("/tokenize", """{"prompt":"a","content":"b"}""", "content")]
    [InlineData("/tokenize", """{"prompt":"a","messages":[{"role":"user","content":"b"}]}""", "messages")]
    [InlineData("/tokenize", """{"prompt":"a","add_generation_prompt":true}""", "add_generation_prompt")]
    [InlineData("/detokenize", "{}", "tokens")]
    [InlineData("/detokenize", """{"tokens":[1,640]}""", "tokens[1]")]
    [InlineData("/apply-template", "{}", "messages")]
    public async Task AWrongRequestIsNamed(string path, string body, string param) =>
        Assert.Equal(param, (string)(await silo.Http.PostAsync(path, body, HttpStatusCode.BadRequest))["error"]!["param"]!);
}
