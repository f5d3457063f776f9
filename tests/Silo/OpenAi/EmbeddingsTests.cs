using System.Net;
using System.Runtime.InteropServices;
using System.Text.Json.Nodes;

namespace KvTiers.Silo.Tests.OpenAi;

[Collection(SiloCollection.Name)]
public sealed class EmbeddingsTests(SharedSilo silo)
{
    private const string Path = "/v1/embeddings";

    [Fact]
    public async Task AnAnswerHasOpenAisShapeAndVectorsOfLengthOne()
    {
        JsonObject answer = await silo.Http.PostAsync(Path, """{"model":"tiny","input":["one text","another, longer text"],"user":"u"}""");

        Assert.Equal("list", (string)answer["object"]!);
        Assert.Equal("tiny", (string)answer["model"]!);
        Assert.Equal([0, 1], answer["data"]!.AsArray().Select(item => (int)item!["index"]!));
        Assert.All(answer["data"]!.AsArray(), item =>
        {
            Assert.Equal("embedding", (string)item!["object"]!);
            float[] vector = Vector(item);
            Assert.Equal(silo.Model.Config.Hidden, vector.Length);
            Assert.Equal(1, vector.Sum(value => (double)value * value), 5);
        });
        int tokens = silo.Model.Tokenizer.Encode("one text").Length + silo.Model.Tokenizer.Encode("another, longer text").Length;
        Assert.Equal(tokens, (int)answer["usage"]!["prompt_tokens"]!);
        Assert.Equal(tokens, (int)answer["usage"]!["total_tokens"]!);
    }

    [Theory]
    [InlineData("mean")]
    [InlineData("last")]
    public async Task TextsTokensFloatsAndBase64AreTheSameVector(string pooling)
    {
        string ids = string.Join(',', silo.Model.Tokenizer.Encode("the same text"));
        string tail = $",\"pooling\":\"{pooling}\"}}";
        float[] text = Vector((await silo.Http.PostAsync(Path, "{\"input\":\"the same text\"" + tail))["data"]![0]!);
        float[] tokens = Vector((await silo.Http.PostAsync(Path, $"{{\"input\":[{ids}]" + tail))["data"]![0]!);
        JsonObject several = await silo.Http.PostAsync(Path, $"{{\"input\":[[{ids}],[5,6]],\"dimensions\":{silo.Model.Config.Hidden},\"encoding_format\":\"base64\"" + tail);

        Assert.Equal(text, tokens);
        Assert.Equal(text, MemoryMarshal.Cast<byte, float>(Convert.FromBase64String((string)several["data"]![0]!["embedding"]!)).ToArray());
        Assert.NotEqual(text, MemoryMarshal.Cast<byte, float>(Convert.FromBase64String((string)several["data"]![1]!["embedding"]!)).ToArray());
    }

    [Fact]
    public async Task ALargeBatchIsAnsweredInItsOrder()
    {
        string[] texts = [.. Enumerable.Range(0, 60).Select(i => $"text number {i}")];
        JsonObject together = await silo.Http.PostAsync(Path, new JsonObject { ["input"] = new JsonArray([.. texts.Select(text => (JsonNode)text)]) }.ToJsonString());

        for (int i = 0; i < texts.Length; i += 13)
        {
            JsonObject alone = await silo.Http.PostAsync(Path, new JsonObject { ["input"] = texts[i] }.ToJsonString());
            Assert.Equal(Vector(alone["data"]![0]!), Vector(together["data"]![i]!));
        }
    }

    [Fact]
    public async Task TheLastTokensVectorUsesWhatIsCached()
    {
        const string Body = """{"input":"A text that is long enough for some blocks and is asked for twice.","pooling":"last"}""";
        await silo.Http.PostAsync(Path, Body);
        JsonObject second = await silo.Http.PostAsync(Path, Body);

        Assert.Equal(1, (int)second["kvtiers"]!["computed"]!);
        Assert.Equal((int)second["usage"]!["prompt_tokens"]! - 1, (int)second["kvtiers"]!["cached"]!["hot"]!);
    }

    [Theory]
    [InlineData("""{}""", "input")]
    [InlineData("""{"input":""}""", "input")]
    [InlineData("""{"input":[]}""", "input")]
    [InlineData("""{"input":["a",""]}""", "input[1]")]
    [InlineData("""{"input":[1,99999999]}""", "input[1]")]
    [InlineData("""{"input":7}""", "input")]
    [InlineData("""{"input":"a","encoding_format":"int8"}""", "encoding_format")]
    [InlineData("""{"input":"a","dimensions":3}""", "dimensions")]
    [InlineData("""{"input":"a","pooling":"max"}""", "pooling")]
    public async Task AFaultNamesItsParameter(string body, string param)
    {
        JsonObject answer = await silo.Http.PostAsync(Path, body, HttpStatusCode.BadRequest);
        Assert.Equal(param, (string?)answer["error"]!["param"]);
    }

    [Fact]
    public async Task ATextLongerThanTheContextIsRefused()
    {
        string text = string.Concat(Enumerable.Repeat("word ", 9000));
        JsonObject answer = await silo.Http.PostAsync(Path, $$"""{"input":["short","{{text}}"]}""", HttpStatusCode.BadRequest);

        Assert.Equal("context_length_exceeded", (string)answer["error"]!["code"]!);
        Assert.Equal("input", (string)answer["error"]!["param"]!);
    }

    private static float[] Vector(JsonNode item) => [.. item["embedding"]!.AsArray().Select(value => (float)value!)];
}
