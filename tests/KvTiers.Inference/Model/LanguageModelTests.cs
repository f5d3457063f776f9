using System.Text.Json.Nodes;
using KvTiers.Blocks;
using KvTiers.Inference.Model;
using KvTiers.MakeModel;

namespace KvTiers.Inference.Tests.Model;

public sealed class LanguageModelTests : IDisposable
{
    // Largest difference of 32-bit logits (of size about 1 to 10) from double precision.
    private const double Tolerance = 5e-5;

    private readonly TemporaryFolder _folder = new();

    public static TheoryData<string> Cases => [.. CaseModels.Keys];

    private static Dictionary<string, Func<TestModel>> CaseModels { get; } = new()
    {
        ["grouped queries"] = () => TestModel.Llama(),
        ["one head for all queries"] = () => TestModel.Llama(heads: 5, kvHeads: 1),
        ["a head each, untied"] = () => TestModel.Llama(heads: 4, kvHeads: 4, tied: false),
        ["biases"] = () => TestModel.Llama(biased: true),
        ["odd sizes"] = () => TestModel.Llama(heads: 6, kvHeads: 3, headDim: 10, hidden: 37, intermediate: 71, vocabulary: 67),
        ["large heads"] = () => TestModel.Llama(heads: 2, kvHeads: 1, headDim: 112),
        ["more queries than a tile"] = () => TestModel.Llama(heads: 20, kvHeads: 1, headDim: 8),
        ["sliding window"] = () => TestModel.Llama(architecture: "MistralForCausalLM", edit: json => json["sliding_window"] = 21),
        ["sliding window from a layer on"] = () => TestModel.Llama(architecture: "Qwen2ForCausalLM", edit: json =>
        {
            json["use_sliding_window"] = true;
            json["sliding_window"] = 5;
            json["max_window_layers"] = 1;
        }),
        ["linear scaling"] = () => TestModel.Llama(edit: json => json["rope_scaling"] = new JsonObject { ["type"] = "linear", ["factor"] = 4.0 }),
        ["llama3 scaling"] = () => TestModel.Llama(headDim: 32, edit: json => json["rope_scaling"] = new JsonObject
        {
            ["rope_type"] = "llama3",
            ["factor"] = 8.0,
            ["low_freq_factor"] = 1.0,
            ["high_freq_factor"] = 4.0,
            ["original_max_position_embeddings"] = 64,
        }),
        ["gpt2"] = () => TestModel.Gpt2(),
        ["gpt2 without prefix, odd sizes"] = () => TestModel.Gpt2(heads: 7, hidden: 35, prefix: ""),
    };

    [Theory]
    [MemberData(nameof(Cases))]
    public void LogitsEqualThoseOfDoublePrecision(string name)
    {
        TestModel test = CaseModels[name]();
        using LanguageModel model = Load(test.Write(_folder.Sub("model")));
        using ModelRun run = new(model);
        int[] tokens = Tokens(model, 75);

        float[] logits = run.Logits(tokens);

        double[] expected = [.. new ReferenceModel(test, model.Config).Logits(tokens).SelectMany(row => row)];
        double worst = logits.Zip(expected, (a, b) => Math.Abs(a - b)).Max();
        TestContext.Current.TestOutputHelper?.WriteLine($"{name}: largest difference {worst:E2} of {expected.Max(Math.Abs):F1}");
        Assert.True(worst < Tolerance, $"{name}: {worst:E2}");
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void HiddenStatesEqualThoseOfDoublePrecisionAndLeaveLogitsAsTheyAre(string name)
    {
        TestModel test = CaseModels[name]();
        using LanguageModel model = Load(test.Write(_folder.Sub("model")));
        using ModelRun run = new(model);
        int[] tokens = Tokens(model, 40), other = Tokens(model, 9);
        float[] alone = run.Logits(other);

        // Rows of both kinds in turn.
        run.Batch.Clear();
        run.Batch.Add(run.Table(other.Length), other, 0, other.Length);
        run.Batch.AddForHidden(run.Table(tokens.Length), tokens, 0, 30);
        run.Batch.Add(run.Table(other.Length), other, 0, 2);
        run.Batch.AddForHidden(run.Table(1), tokens[..1], 0, 1);
        model.Forward(run.Batch);

        double[][] expected = new ReferenceModel(test, model.Config).Hidden(tokens);
        for (int row = 0; row < 30; row++)
            Assert.True(run.Batch.Hidden(1, row).ToArray().Zip(expected[10 + row], (a, b) => Math.Abs(a - b)).Max() < Tolerance);
        Assert.True(run.Batch.Hidden(3, 0).ToArray().Zip(expected[0], (a, b) => Math.Abs(a - b)).Max() < Tolerance);
        float[] mixed = [.. Enumerable.Range(0, other.Length).SelectMany(row => run.Batch.Logits(0, row).ToArray())];
        Assert.Equal(alone, mixed);
        Assert.Equal(alone[^model.Config.Vocabulary..], run.Batch.Logits(2, 1).ToArray());
    }

    [Fact]
    public void ALongPromptEqualsDoublePrecisionAcrossChunksOfAttention()
    {
        TestModel test = TestModel.Llama(layers: 1);
        using LanguageModel model = Load(test.Write(_folder.Sub("model")));
        using ModelRun run = new(model);
        int[] tokens = Tokens(model, 600);

        float[] logits = run.Logits(tokens);

        double[] expected = [.. new ReferenceModel(test, model.Config).Logits(tokens).SelectMany(row => row)];
        Assert.True(logits.Zip(expected, (a, b) => Math.Abs(a - b)).Max() < Tolerance);
    }

    [Theory]
    [InlineData(TensorType.F16)]
    [InlineData(TensorType.BF16)]
    public void WeightsOfSixteenBitsAreTakenExactly(TensorType type)
    {
        TestModel test = TestModel.Llama();
        string folder = test.Write(_folder.Sub("model"), type);
        test.Round(type);
        using LanguageModel model = Load(folder);
        using ModelRun run = new(model);
        int[] tokens = Tokens(model, 20);

        float[] logits = run.Logits(tokens);

        double[] expected = [.. new ReferenceModel(test, model.Config).Logits(tokens).SelectMany(row => row)];
        Assert.True(logits.Zip(expected, (a, b) => Math.Abs(a - b)).Max() < Tolerance);
    }

    [Fact]
    public void KeysAndValuesInBFloat16CostLittle()
    {
        TestModel test = TestModel.Llama();
        using LanguageModel model = Load(test.Write(_folder.Sub("model")));
        using ModelRun run = new(model, KvFormat.BF16);
        int[] tokens = Tokens(model, 40);

        float[] logits = run.Logits(tokens);

        double[] expected = [.. new ReferenceModel(test, model.Config).Logits(tokens).SelectMany(row => row)];
        Assert.InRange(logits.Zip(expected, (a, b) => Math.Abs(a - b)).Average(), 1e-5, 2e-2);
    }

    [Fact]
    public void ShardsMakeTheSameModel()
    {
        TestModel test = TestModel.Llama();
        using LanguageModel whole = Load(test.Write(_folder.Sub("whole")));
        using LanguageModel sharded = Load(test.WriteShards(_folder.Sub("sharded")));

        Assert.Equal(whole.Fingerprint.ToArray(), sharded.Fingerprint.ToArray());
    }

    [Fact]
    public void TheFingerprintDependsOnWeightsShapeAndFormatOnly()
    {
        TestModel test = TestModel.Llama();
        string folder = test.Write(_folder.Sub("one"));
        string[] prints =
        [
            Print(folder, new ModelOptions { Threads = 1 }),
            Print(folder, new ModelOptions { Threads = 1, WeightFormat = WeightFormat.BF16 }),
            Print(folder, new ModelOptions { Threads = 1, WeightFormat = WeightFormat.Int8 }),
            Print(folder, new ModelOptions { Threads = 1, WeightFormat = WeightFormat.Int4 }),
            Print(TestModel.Llama(seed: 2).Write(_folder.Sub("other weights")), new ModelOptions { Threads = 1 }),
            Print(TestModel.Llama(edit: json => json["rope_theta"] = 20_000).Write(_folder.Sub("other shape")), new ModelOptions { Threads = 1 }),
        ];

        Assert.Equal(6, prints.Distinct().Count());
        Assert.Equal(64, prints[0].Length);
        Assert.Equal(prints[0], Print(folder, new ModelOptions { Threads = 2, RowTile = 16 }));

        static string Print(string path, ModelOptions options)
        {
            using LanguageModel model = LanguageModel.Load(path, options);
            return Convert.ToHexString(model.Fingerprint.Span);
        }
    }

    [Fact]
    public void ABatchThatCannotBeComputedIsRefusedBeforeAnythingIsWritten()
    {
        using LanguageModel model = Load(TestModel.Gpt2().Write(_folder.Sub("model")));
        using ModelRun run = new(model);
        BlockTable table = run.Table(528);

        Refused([5, 101], 0, "Token 101 is outside the vocabulary of 101.");
        Refused([5, -1], 0, "Token -1 is outside the vocabulary of 101.");
        Refused([5, 6], 511, "Position 512 is outside the context of 512 tokens.");
        using StepBatch other = new(model.Config.CreateLayout(KvFormat.F32, 8), model.Config.Vocabulary);
        Assert.Throws<ArgumentException>(() => model.Forward(other));
        unsafe
        {
            foreach (nint address in table.Addresses)
                Assert.Equal(-1, new ReadOnlySpan<byte>((void*)address, run.Batch.Layout.BytesPerBlock).IndexOfAnyExcept((byte)0xFF));
        }

        void Refused(int[] tokens, int start, string message)
        {
            run.Batch.Clear();
            run.Batch.Add(table, tokens, start, 1);
            Assert.Contains(message, Assert.Throws<ArgumentException>(() => model.Forward(run.Batch)).Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void AnOptionOutOfRangeIsRefused()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => LanguageModel.Load(_folder.Path, new ModelOptions { Threads = 65 }));
        Assert.Throws<ArgumentOutOfRangeException>(() => LanguageModel.Load(_folder.Path, new ModelOptions { Threads = -1 }));
        Assert.Throws<ArgumentOutOfRangeException>(() => LanguageModel.Load(_folder.Path, new ModelOptions { RowTile = 15 }));
        Assert.Throws<ArgumentOutOfRangeException>(() => LanguageModel.Load(_folder.Path, new ModelOptions { RowTile = 4097 }));
        Assert.Throws<ArgumentOutOfRangeException>(() => LanguageModel.Load(_folder.Path, new ModelOptions { WeightFormat = (WeightFormat)9 }));
    }

    public void Dispose() => _folder.Dispose();

    private static LanguageModel Load(string folder) => LanguageModel.Load(folder, new ModelOptions { Threads = 2 });

    private static int[] Tokens(LanguageModel model, int count)
    {
        Random random = new(7);
        return [.. Enumerable.Range(0, count).Select(_ => random.Next(model.Config.Vocabulary))];
    }
}
