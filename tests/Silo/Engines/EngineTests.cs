using System.Text.Json.Nodes;
using KvTiers.Inference.Model;
using KvTiers.MakeModel;
using KvTiers.Silo.Configuration;

namespace KvTiers.Silo.Tests.Engines;

/// <summary>Two engines behind one API. <c>KVTIERS__ENGINE=torch</c> runs all other tests of this project over the second one; where it is set, it must be what answers.</summary>
public sealed class EngineTests : IDisposable
{
    private static readonly string[] Questions = ["Hello! My name is Marta and I live in Porto.", "What is my name?", "Where do I live?"];

    private readonly TemporaryFolder _folder = new();

    private static string Demo => ModelFolder.Find("models/demo")!;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task TheEngineThatIsAskedForAnswersAndIsReported()
    {
        string expected = Environment.GetEnvironmentVariable("KVTIERS__ENGINE") ?? "kvtiers";
        await using SiloProcess silo = await SiloProcess.StartReadyAsync(TestModels.Tiny, _folder.FullName);

        Assert.Equal(expected, (string)(await silo.Http.GetJsonAsync("/v1/models"))["data"]![0]!["engine"]!);
        Assert.Contains($"Engine {expected}: ", silo.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task BothGiveTheDemoModelsGreedyAnswers()
    {
        Assert.SkipUnless(EngineSettings.HasTorch, "Built without libtorch. To run it: dotnet test tests/Silo -c Release -p:Torch=cpu");
        string[] own = await TalkAsync("kvtiers"), torch = await TalkAsync("torch");

        Assert.Equal(own, torch);
        Assert.Contains("Marta", torch[1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task WithoutLibtorchTheStartSaysHowToBuildIt()
    {
        Assert.SkipWhen(EngineSettings.HasTorch, "Built with libtorch.");
        await using var silo = SiloProcess.Start(_folder.FullName, "--model", TestModels.Tiny, "--engine", "torch");

        Assert.Equal(1, await silo.WaitForExitAsync());
        Assert.Equal(
            "kvtiers-silo: KvTiers:Engine = 'torch': must be kvtiers: this server was built without libtorch. "
            + "With it, torch is there too: dotnet run --project silo -c Release -p:Torch=cpu -- --engine torch.",
            silo.Errors.TrimEnd());
    }

    [Theory]
    [InlineData(WeightFormat.BF16, "bf16")]
    [InlineData(WeightFormat.Int8, "int8")]
    [InlineData(WeightFormat.Int4, "int4")]
    public void WeightsThatTorchDoesNotHaveAreRefused(WeightFormat weights, string name)
    {
        SettingError error = Assert.Single(EngineSettings.Conflicts(new SiloOptions { Engine = EngineKind.Torch, Weights = weights }));

        Assert.Equal($"KvTiers:Weights = '{name}': must be auto or f32 under the engine torch, which computes in 32-bit floats.", error.ToString());
        Assert.Empty(EngineSettings.Conflicts(new SiloOptions { Engine = EngineKind.Torch }));
    }

    [Fact]
    public void TorchReadsNoGguf()
    {
        SettingError error = Assert.Single(EngineSettings.Conflicts(new SiloOptions { Engine = EngineKind.Torch, Model = "/models/some.gguf" }));

        Assert.Equal("KvTiers:Model = '/models/some.gguf': must be a folder with .safetensors files under the engine torch, which reads no GGUF.", error.ToString());
    }

    [Fact]
    public async Task AGgufFileOfAModelAnswersAsItsFolderDoes()
    {
        string file = GgufOfDemo();

        Assert.Equal(await TalkAsync("kvtiers"), await TalkAsync("kvtiers", file));
    }

    // The demo model's weights are BF16, and stay so.
    private string GgufOfDemo()
    {
        JsonObject config = JsonNode.Parse(File.ReadAllBytes(Path.Combine(Demo, "config.json")))!.AsObject();
        GgufConversion conversion = new(config, _ => GgufType.BF16);
        conversion.AddConfig();
        conversion.AddVocabulary(Demo, "gpt-2");
        using WeightFiles files = new(Demo);
        int hidden = (int)config["hidden_size"]!, inner = (int)config["intermediate_size"]!, headDim = (int)config["head_dim"]!;
        int queries = (int)config["num_attention_heads"]! * headDim, keys = (int)config["num_key_value_heads"]! * headDim;
        Add("model.embed_tokens.weight", (int)config["vocab_size"]!, hidden);
        Add("model.norm.weight", hidden);
        for (int i = 0; i < (int)config["num_hidden_layers"]!; i++)
        {
            string layer = $"model.layers.{i}.";
            Add(layer + "input_layernorm.weight", hidden);
            Add(layer + "post_attention_layernorm.weight", hidden);
            Add(layer + "self_attn.q_proj.weight", queries, hidden);
            Add(layer + "self_attn.k_proj.weight", keys, hidden);
            Add(layer + "self_attn.v_proj.weight", keys, hidden);
            Add(layer + "self_attn.o_proj.weight", hidden, queries);
            Add(layer + "mlp.gate_proj.weight", inner, hidden);
            Add(layer + "mlp.up_proj.weight", inner, hidden);
            Add(layer + "mlp.down_proj.weight", hidden, inner);
        }
        string path = Path.Combine(_folder.FullName, "demo.gguf");
        File.WriteAllBytes(path, conversion.Write());
        return path;

        void Add(string name, params int[] shape)
        {
            float[] values = new float[shape.Aggregate(1, (product, size) => product * size)];
            files.Get(name, [.. shape.Select(size => (long)size)]).Read(0, 1, values);
            conversion.Add(name, shape, values);
        }
    }

    // Each turn finds what the one before it computed: prompt tokens, cached tokens and text.
    private static async Task<string[]> TalkAsync(string engine, string? model = null)
    {
        await using SiloServer silo = await SiloServer.StartAsync("--model", model ?? Demo, "--engine", engine);
        var messages = new JsonArray();
        var answers = new List<string>();
        foreach (string question in Questions)
        {
            messages.Add(new JsonObject { ["role"] = "user", ["content"] = question });
            JsonObject answer = await silo.Http.PostAsync(
                "/v1/chat/completions", new JsonObject { ["messages"] = messages.DeepClone(), ["conversation"] = "talk", ["temperature"] = 0, ["max_tokens"] = 40 }.ToJsonString());
            string text = (string)answer["choices"]![0]!["message"]!["content"]!;
            messages.Add(new JsonObject { ["role"] = "assistant", ["content"] = text });
            answers.Add($"{answer["usage"]!["prompt_tokens"]}, {answer["usage"]!["prompt_tokens_details"]!["cached_tokens"]}: {text}");
        }

        return [.. answers];
    }
}
