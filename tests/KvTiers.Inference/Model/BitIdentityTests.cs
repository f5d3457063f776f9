using System.Runtime.InteropServices;
using KvTiers.Blocks;
using KvTiers.Inference.Kernels;
using KvTiers.Inference.Model;
using KvTiers.MakeModel;

namespace KvTiers.Inference.Tests.Model;

/// <summary>Logits are the same bits however a prompt reaches the model: equality here is exact.</summary>
public sealed class BitIdentityTests : IDisposable
{
    private const string Int8 = ", int8";
    private const string Int4 = ", int4";

    private readonly TemporaryFolder _folder = new();
    private WeightFormat _format = WeightFormat.AsStored;

    public static TheoryData<string, KvFormat> Cases
    {
        get
        {
            TheoryData<string, KvFormat> cases = [];
            foreach (string model in (string[])["llama", "llama, odd sizes", "llama, window", "gpt2", "llama, int8", "llama, odd sizes, int8", "gpt2, int8", "llama, int4", "llama, odd sizes, int4", "gpt2, int4"])
            {
                cases.Add(model, KvFormat.F32);
                cases.Add(model, KvFormat.BF16);
            }
            foreach (string family in GoldenModels.Families)
            {
                cases.Add(family, KvFormat.BF16);
                cases.Add(family + Int8, KvFormat.F32);
            }
            return cases;
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void ChunksMakeNoDifference(string name, KvFormat format)
    {
        using LanguageModel model = Load(Write(name));
        using ModelRun run = new(model, format);
        int[] prompt = Prompt(model, 90);

        float[] whole = run.Logits(prompt);

        foreach (int chunk in (int[])[1, 7, 16, 33])
            AssertSameBits(whole, run.Logits(prompt, chunk));
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void ThreadsRowTilesAndPathsMakeNoDifference(string name, KvFormat format)
    {
        string folder = Write(name);
        float[]? expected = null;
        foreach (ModelOptions options in Variants())
        {
            using LanguageModel model = Load(folder, options);
            using ModelRun run = new(model, format);
            int[] prompt = Prompt(model, 300);
            float[] logits = run.Logits(prompt, chunk: 130);
            AssertSameBits(expected ??= logits, logits);
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void NeighboursInTheStepMakeNoDifference(string name, KvFormat format)
    {
        using LanguageModel model = Load(Write(name));
        using ModelRun run = new(model, format);
        int[][] prompts = [.. Enumerable.Range(0, 8).Select(i => Prompt(model, 20 + 9 * i, seed: i))];
        float[][] alone = [.. prompts.Select(prompt => run.Logits(prompt))];
        BlockTable[] tables = [.. prompts.Select(prompt => run.Table(prompt.Length))];
        int vocabulary = model.Config.Vocabulary;

        // Prefills of all, each in two chunks of other lengths, then one step with the last token of each.
        run.Batch.Clear();
        for (int i = 0; i < 8; i++)
            run.Batch.Add(tables[i], prompts[i].AsSpan(0, 5 + i), 0, 0);
        model.Forward(run.Batch);
        run.Batch.Clear();
        for (int i = 7; i >= 0; i--)
            run.Batch.Add(tables[i], prompts[i].AsSpan((5 + i)..^1), 5 + i, i % 3);
        model.Forward(run.Batch);
        for (int i = 0; i < 8; i++)
        {
            for (int row = 0; row < i % 3; row++)
                AssertSameBits(alone[i].AsSpan(^((1 + i % 3 - row) * vocabulary)..^((i % 3 - row) * vocabulary)), run.Batch.Logits(7 - i, row));
        }
        run.Batch.Clear();
        for (int i = 0; i < 8; i++)
            run.Batch.Add(tables[i], prompts[i].AsSpan(^1..), prompts[i].Length - 1, 1);
        model.Forward(run.Batch);

        for (int i = 0; i < 8; i++)
            AssertSameBits(alone[i].AsSpan(^vocabulary..), run.Batch.Logits(i, 0));
    }

    [Fact]
    public void ALongContextMakesNoDifferenceToChunks()
    {
        using LanguageModel model = Load(Write("llama"));
        using ModelRun run = new(model, KvFormat.BF16);
        int[] prompt = Prompt(model, 700);

        float[] whole = run.Logits(prompt);

        AssertSameBits(whole, run.Logits(prompt, chunk: 101));
    }

    public void Dispose() => _folder.Dispose();

    private static void AssertSameBits(ReadOnlySpan<float> expected, ReadOnlySpan<float> actual) =>
        Assert.Equal(MemoryMarshal.Cast<float, uint>(expected), MemoryMarshal.Cast<float, uint>(actual));

    private static IEnumerable<ModelOptions> Variants()
    {
        yield return new ModelOptions { Threads = 1, KernelPath = KernelPath.Plain };
        foreach (KernelPath path in (KernelPath[])[KernelPath.Avx512, KernelPath.Avx2])
        {
            if (!KernelPaths.IsSupported(path))
                continue;
            for (int threads = 1; threads <= 3; threads++)
                yield return new ModelOptions { Threads = threads, KernelPath = path, RowTile = 16 << threads };
        }
    }

    private string Write(string name)
    {
        if (name.EndsWith(Int8, StringComparison.Ordinal))
        {
            _format = WeightFormat.Int8;
            name = name[..^Int8.Length];
        }
        else if (name.EndsWith(Int4, StringComparison.Ordinal))
        {
            _format = WeightFormat.Int4;
            name = name[..^Int4.Length];
        }
        if (GoldenModels.Families.Contains(name))
            return GoldenModels.Folder(name);
        TestModel model = name switch
        {
            "llama" => TestModel.Llama(),
            "llama, odd sizes" => TestModel.Llama(heads: 3, kvHeads: 1, headDim: 10, hidden: 37, intermediate: 71, vocabulary: 67, biased: true),
            "llama, window" => TestModel.Llama(architecture: "MistralForCausalLM", edit: json => json["sliding_window"] = 21),
            _ => TestModel.Gpt2(),
        };
        return model.Write(_folder.Sub("model"), name == "llama" ? TensorType.BF16 : TensorType.F32);
    }

    private LanguageModel Load(string folder, ModelOptions? options = null) =>
        LanguageModel.Load(folder, (options ?? new ModelOptions { Threads = 2 }) with { WeightFormat = _format });

    private static int[] Prompt(LanguageModel model, int count, int seed = 3)
    {
        Random random = new(seed);
        return [.. Enumerable.Range(0, count).Select(_ => random.Next(model.Config.Vocabulary))];
    }
}
