using KvTiers.Inference.Model;
using KvTiers.Samples.TorchGenerate;
using KvTiers.Tiers;
using KvTiers.TorchSharp.Models;
using static TorchSharp.torch;

namespace KvTiers.TorchSharp.Tests;

/// <summary>Two engines that share no arithmetic compute the same: our own, and the models in TorchSharp.</summary>
public sealed class ModelTests
{
    /// <summary>What logits may differ by, as a share of the largest of their row: both compute in float32, in different orders.</summary>
    private const double Tolerance = 2e-4;

    public static TheoryData<string> Models =>
        ["demo", "tiny", "tiny-gpt2", "untied, each query head a KV head", "one KV head", "stretched rotary positions", "sliding window"];

    [Theory]
    [MemberData(nameof(Models))]
    public void LogitsAreThoseOfOurOwnEngine(string name)
    {
        Libtorch.Require();
        using var folder = new TemporaryFolder();
        string path = RandomFolder.Write(name, folder.Path);
        using LanguageModel own = LanguageModel.Load(path, new ModelOptions { Threads = 2 });
        using TorchModel model = TorchModel.Load(path);
        int[] tokens = RandomFolder.Tokens(70, own.Config.Vocabulary);
        float[][] expected = OwnEngine.Logits(own, tokens);
        using Tensor logits = model.Forward(tokens, past: null, rows: tokens.Length);
        Assert.Equal([1, tokens.Length, own.Config.Vocabulary], logits.shape);
        float[] actual = logits.contiguous().data<float>().ToArray();
        for (int row = 0; row < tokens.Length; row++)
        {
            float[] logitsOfOwn = expected[row];
            double largest = logitsOfOwn.Max(Math.Abs), difference = logitsOfOwn.Select((logit, i) => Math.Abs(logit - actual[row * logitsOfOwn.Length + i])).Max();
            Assert.True(difference <= Tolerance * largest, $"Row {row} differs by {difference}, the largest logit is {largest}.");
        }
    }

    [Theory]
    [MemberData(nameof(Models))]
    public async Task GreedyTokensAreThoseOfOurOwnEngineWithEveryCache(string name)
    {
        Libtorch.Require();
        using var folder = new TemporaryFolder();
        string path = RandomFolder.Write(name, folder.Path);
        using LanguageModel own = LanguageModel.Load(path, new ModelOptions { Threads = 2 });
        using TorchModel model = TorchModel.Load(path);
        int[] prompt = RandomFolder.Tokens(45, own.Config.Vocabulary);
        await using TieredCache tiers = await CountedModel.OpenAsync(own.Config.CreateLayout(), 64);
        (int[] expected, _) = await OwnEngine.GenerateAsync(own, path, tiers, prompt, 24);
        var options = new GenerateOptions(24);
        Assert.Equal(expected, Generation.Generate(model, prompt, past: null, options).Tokens);
        if (own.Config.WindowOf(own.Config.Layers - 1) == int.MaxValue)
        {
            using var cat = new CatPast(own.Config.Layers, batch: 1);
            Assert.Equal(expected, Generation.Generate(model, prompt, cat, options).Tokens);
        }

        foreach (bool isStatic in (bool[])[false, true])
        {
            using TieredPast past = await OpenAsync(own.Config, tiers, $"{name} {isStatic}", prompt, isStatic);
            GenerateResult result = Generation.Generate(model, prompt, past, options);
            Assert.Equal(expected, result.Tokens);
            Assert.Equal(prompt.Length + 23, result.ComputedTokens);
        }
    }

    [Fact]
    public async Task SequencesOfABatchGetWhatTheyGetAlone()
    {
        Libtorch.Require();
        using var folder = new TemporaryFolder();
        string path = RandomFolder.Write("tiny", folder.Path);
        using TorchModel model = TorchModel.Load(path);
        int[][] prompts = [RandomFolder.Tokens(30, 640, seed: 1), RandomFolder.Tokens(21, 640, seed: 2)];
        int[][] alone = [.. prompts.Select(prompt => Generation.Generate(model, prompt, past: null, new GenerateOptions(8)).Tokens)];
        await using TieredCache tiers = await CountedModel.OpenAsync(model.Config.CreateLayout(), 64);
        foreach (int[] prompt in prompts)
        {
            using TieredPast one = await OpenAsync(model.Config, tiers, "batch", prompt);
            model.Forward(prompt.AsSpan(..^1), one).Dispose();
            one.Cache.Publish();
        }

        using var past = new TieredPast(await TorchKvCache.AcquireAsync(
            tiers, tiers.RootFor("batch"u8), [.. prompts.Select(prompt => (ReadOnlyMemory<int>)prompt)], new() { MaxTokens = 64 }));
        Assert.Equal((29, 20), (past.Cache.LengthOf(0), past.Cache.LengthOf(1)));
        int[] next = [prompts[0][^1], prompts[1][^1]];
        for (int i = 0; i < 8; i++)
        {
            using Tensor logits = model.Forward(next, past), likeliest = logits.argmax(-1);
            next = [.. likeliest.reshape(-1).data<long>().Select(id => (int)id)];
            Assert.Equal([alone[0][i], alone[1][i]], next);
        }
    }

    internal static async Task<TieredPast> OpenAsync(ModelConfig config, TieredCache tiers, string fingerprint, int[] prompt, bool isStatic = false) =>
        await OpenAsync(config, tiers, System.Text.Encoding.UTF8.GetBytes(fingerprint), prompt, isStatic);

    internal static async Task<TieredPast> OpenAsync(ModelConfig config, TieredCache tiers, ReadOnlyMemory<byte> fingerprint, int[] prompt, bool isStatic = false) =>
        new(await TorchKvCache.AcquireAsync(tiers, tiers.RootFor(fingerprint.Span), prompt, new TorchKvCacheOptions
        {
            MaxTokens = 256,
            InitialTokens = 16,
            IsStatic = isStatic,
            SlidingWindow = config.LayerConfigs[^1].Window,
            FirstWindowedLayer = config.LayerConfigs.TakeWhile(layer => layer.Window is null).Count(),
        }));
}
