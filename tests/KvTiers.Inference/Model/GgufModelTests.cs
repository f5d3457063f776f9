using System.Text.Json.Nodes;
using KvTiers.Blocks;
using KvTiers.Inference.Model;
using KvTiers.MakeModel;

namespace KvTiers.Inference.Tests.Model;

/// <summary>A GGUF file computes what a folder of the weights that it stands for computes.</summary>
public sealed class GgufModelTests(ITestOutputHelper output) : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public static TheoryData<GgufType> Types => [.. Enum.GetValues<GgufType>()];

    [Theory]
    [MemberData(nameof(Types))]
    public void LogitsAreThoseOfAFolderOfTheDequantisedWeights(GgufType type)
    {
        TestModel model = Wide();
        string file = Write(model, _ => type);
        string folder = Dequantised(model, file).Write(_folder.Sub("folder"));

        float[] expected = Logits(folder, WeightFormat.F32), same = Logits(file, WeightFormat.F32), held = Logits(file, WeightFormat.AsStored);

        Assert.Equal(expected, same);
        double difference = Difference(expected, held), greatest = expected.Max(Math.Abs);
        output.WriteLine($"{type}: largest difference of logits as held {difference:g3}, of logits up to {greatest:g3}");
        Assert.True(difference <= Tolerance(type) * greatest, $"{difference} of {greatest}");
        int vocabulary = (int)model.Config["vocab_size"]!;
        Assert.Equal(expected.Chunk(vocabulary).Select(Best), held.Chunk(vocabulary).Select(Best));
    }

    // Of the largest logit. What is held as the file has it differs by the rounding of inputs to 16 bits; Q4_K's scales are rounded to 16 bits too, and
    // what has no panels of its own is rounded to 8.
    private static double Tolerance(GgufType type) => type switch
    {
        GgufType.F32 or GgufType.F16 or GgufType.BF16 => 0,
        GgufType.Q5_1 or GgufType.Q5_K or GgufType.Q6_K => 0.06,
        GgufType.Q4_K => 0.01,
        _ => 0.001,
    };

    [Fact]
    public void EmbeddingsAndMatricesOfSeveralTypesGoTogether()
    {
        TestModel model = Wide();
        string file = Write(model, name => name.Contains("v_proj", StringComparison.Ordinal) || name.Contains("down", StringComparison.Ordinal) ? GgufType.Q6_K
            : name.Contains("embed", StringComparison.Ordinal) ? GgufType.Q8_0 : GgufType.Q4_K);
        string folder = Dequantised(model, file).Write(_folder.Sub("folder"));

        float[] expected = Logits(folder, WeightFormat.F32);

        Assert.Equal(expected, Logits(file, WeightFormat.F32));
        Assert.InRange(Difference(expected, Logits(file, WeightFormat.AsStored)), 1e-6, 0.06 * expected.Max(Math.Abs));
    }

    [Fact]
    public void BiasesAndVectorsAreInTheOrderOfTheEngine()
    {
        foreach (TestModel model in (TestModel[])[TestModel.Llama(biased: true, tied: false), Qwen2()])
        {
            string folder = model.Write(_folder.Sub("folder")), file = Write(model, _ => GgufType.F32);

            Assert.Equal(Logits(folder, WeightFormat.AsStored), Logits(file, WeightFormat.AsStored));
        }
    }

    [Fact]
    public void ACommittedQwen3ModelComputesTheSameFromAFile()
    {
        string folder = GoldenModels.Folder("qwen3");
        GgufConversion conversion = new(JsonNode.Parse(File.ReadAllBytes(Path.Combine(folder, "config.json")))!.AsObject(), _ => GgufType.F32);
        conversion.AddConfig();
        using (SafetensorsFile weights = new(Path.Combine(folder, "model.safetensors")))
        {
            foreach (SafetensorsTensor tensor in weights.Tensors.Values)
            {
                int[] shape = [.. tensor.Shape.ToArray().Select(size => (int)size)];
                float[] values = new float[shape.Aggregate(1, (product, size) => product * size)];
                tensor.Read(0, 1, values);
                conversion.Add(tensor.Name, shape, values);
            }
        }

        Assert.Equal(Logits(folder, WeightFormat.F32), Logits(Save(conversion), WeightFormat.F32));
    }

    [Fact]
    public void Llama3ScalingIsKnownByItsFactors()
    {
        TestModel model = TestModel.Llama(headDim: 32, edit: json => json["rope_scaling"] = new JsonObject
        {
            ["rope_type"] = "llama3",
            ["factor"] = 32.0,
            ["low_freq_factor"] = 1.0,
            ["high_freq_factor"] = 4.0,
            ["original_max_position_embeddings"] = 8192,
        });
        string folder = model.Write(_folder.Sub("folder"));
        GgufConversion conversion = Convert(model, _ => GgufType.F32);
        // As tools write them: from frequencies, in 32 bits.
        float[] factors = [.. Enumerable.Range(0, 16).Select(i => (float)Factor(2 * Math.PI * Math.Pow(10_000, i / 16.0)))];
        conversion.Tensors.Add(new WrittenTensor("rope_freqs.weight", [16], 0, GgufQuantiser.Encode(GgufType.F32, factors)));
        string file = Save(conversion);

        Assert.Equal(Logits(folder, WeightFormat.AsStored), Logits(file, WeightFormat.AsStored));

        factors[^3] *= 1.01f;
        conversion.Tensors[^1] = new WrittenTensor("rope_freqs.weight", [16], 0, GgufQuantiser.Encode(GgufType.F32, factors));
        Assert.Contains("rope_freqs.weight: has the factor", Error(() => ModelConfig.Load(Save(conversion))), StringComparison.Ordinal);

        static double Factor(double wavelength)
        {
            double smooth = Math.Clamp((8192 / wavelength - 1) / 3, 0, 1);
            return 1 / ((1 - smooth) / 32 + smooth);
        }
    }

    [Theory]
    [InlineData("general.architecture", "mamba", "general.architecture: is mamba; supported are llama, qwen2")]
    [InlineData("llama.expert_count", 8u, "llama.expert_count: is 8; it is not known of the architecture llama")]
    [InlineData("llama.rope.dimension_count", 8u, "llama.rope.dimension_count: is 8; supported is 16 only")]
    [InlineData("llama.rope.scaling.type", "longrope", "llama.rope.scaling.type: is longrope; supported are none, linear and yarn.")]
    [InlineData("llama.vocab_size", 7u, "llama.vocab_size: is 7; supported is 101 only")]
    [InlineData("llama.block_count", "two", "llama.block_count: is the text 'two' but must be a whole number")]
    [InlineData("llama.attention.causal", false, "llama.attention.causal: must be true.")]
    [InlineData("split.count", 3u, "split.count: says that the model is in several files")]
    [InlineData("general.alignment", 12u, "general.alignment: is 12 but must be a multiple of 8.")]
    public void MetadataThatTheEngineDoesNotComputeIsRefusedByName(string key, object value, string expected)
    {
        GgufConversion conversion = Convert(TestModel.Llama(), _ => GgufType.F32);
        conversion.Metadata[key] = value;
        string file = Save(conversion);

        Assert.Contains(expected, Error(() => ModelConfig.Load(file)), StringComparison.Ordinal);
    }

    [Fact]
    public void TensorsThatAreMissingOrTooManyAreNamed()
    {
        GgufConversion conversion = Convert(TestModel.Llama(), _ => GgufType.F32);
        conversion.Tensors.Add(new WrittenTensor("blk.0.ffn_gate_inp.weight", [1], 0, new byte[4]));
        Assert.Contains("blk.0.ffn_gate_inp.weight", Error(() => LanguageModel.Load(Save(conversion), new ModelOptions())), StringComparison.Ordinal);

        conversion = Convert(TestModel.Llama(), _ => GgufType.F32);
        conversion.Tensors.Remove(conversion.Tensors.First(tensor => tensor.Name == "blk.1.ffn_down.weight"));
        Assert.Contains("mlp.down_proj.weight: is missing", Error(() => LanguageModel.Load(Save(conversion), new ModelOptions())), StringComparison.Ordinal);
    }

    [Fact]
    public void PackedWeightsAreKeptFromOneLoadToTheNext()
    {
        string file = Write(Wide(), name => name.Contains("embed", StringComparison.Ordinal) ? GgufType.Q6_K : GgufType.Q4_0);
        ModelOptions options = new() { WeightCacheFolder = _folder.Sub("weights") };
        float[] packed = Logits(file, options);

        Assert.StartsWith("test.gguf-", Path.GetFileName(Assert.Single(Directory.GetFiles(options.WeightCacheFolder))), StringComparison.Ordinal);
        Assert.Equal(packed, Logits(file, options));
    }

    public void Dispose() => _folder.Dispose();

    internal static GgufConversion Convert(TestModel model, Func<string, GgufType> typeOf)
    {
        GgufConversion conversion = new(model.Config, typeOf);
        conversion.AddConfig();
        foreach ((string name, (int[] shape, float[] values)) in model.Tensors)
            conversion.Add(name, shape, values);
        return conversion;
    }

    private static TestModel Wide() => TestModel.Llama(hidden: 256, heads: 4, kvHeads: 2, headDim: 64, intermediate: 512);

    private static TestModel Qwen2() => TestModel.Llama(architecture: "Qwen2ForCausalLM", headDim: 12, biased: true, edit: json =>
    {
        json.Remove("attention_bias");
        json.Remove("mlp_bias");
        json.Remove("head_dim");
    });

    private static double Difference(float[] expected, float[] actual) => expected.Zip(actual).Max(pair => Math.Abs(pair.First - pair.Second));

    private static int Best(float[] logits) => Array.IndexOf(logits, logits.Max());

    // The same model with the floats that the file's blocks stand for.
    private static TestModel Dequantised(TestModel model, string path)
    {
        using WeightFiles files = new(path);
        foreach ((string name, (int[] shape, float[] values)) in model.Tensors)
            files.Get(name, [.. shape.Select(size => (long)size)]).Read(0, 1, values);
        return model;
    }

    private static float[] Logits(string path, WeightFormat format) => Logits(path, new ModelOptions { WeightFormat = format });

    private static float[] Logits(string path, ModelOptions options)
    {
        using LanguageModel model = LanguageModel.Load(path, options with { Threads = 1 });
        using ModelRun run = new(model, KvFormat.F32);
        Random random = new(3);
        return run.Logits([.. Enumerable.Range(0, 40).Select(_ => random.Next(model.Config.Vocabulary))]);
    }

    private static string Error(Action action) => Assert.Throws<ModelFormatException>(action).Message;

    private string Write(TestModel model, Func<string, GgufType> typeOf) => Save(Convert(model, typeOf));

    private string Save(GgufConversion conversion)
    {
        string path = _folder.Sub("test.gguf");
        File.WriteAllBytes(path, conversion.Write());
        return path;
    }
}
