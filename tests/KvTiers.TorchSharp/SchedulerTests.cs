using KvTiers.Blocks;
using KvTiers.Inference.Model;
using KvTiers.Inference.Scheduling;
using KvTiers.Inference.Tokens;
using KvTiers.Tiers;
using KvTiers.TorchSharp.Models;

namespace KvTiers.TorchSharp.Tests;

/// <summary>The scheduler runs another engine as it runs ours: <see cref="LanguageModel"/> is all that stands between them.</summary>
public sealed class SchedulerTests
{
    [Theory]
    [InlineData("demo")]
    [InlineData("tiny-gpt2")]
    [InlineData("sliding window")]
    public async Task RequestsSideBySideGetTheTokensThatOurOwnEngineGives(string name)
    {
        Libtorch.Require();
        using var folder = new TemporaryFolder();
        string path = RandomFolder.Write(name, folder.Path);
        using LanguageModel own = LanguageModel.Load(path, new ModelOptions { Threads = 2 });
        using var torchModel = TorchLanguageModel.Open(path, threads: 2);
        int[] shared = RandomFolder.Tokens(40, own.Config.Vocabulary);
        int[][] prompts = [.. Enumerable.Range(0, 5).Select(i => (int[])[.. shared, .. RandomFolder.Tokens(10 + i, own.Config.Vocabulary, seed: i)])];
        GenerationResult[] expected = await RunAsync(own, path, prompts), actual = await RunAsync(torchModel, path, prompts);
        for (int i = 0; i < prompts.Length; i++)
        {
            Assert.Equal(expected[i].Choices[0].TokenIds, actual[i].Choices[0].TokenIds);
            Assert.Equal((expected[i].PromptTokenCount, expected[i].CachedTokenCount), (actual[i].PromptTokenCount, actual[i].CachedTokenCount));
        }

        // What the first one computed of the prompt that they share.
        Assert.Equal(40, actual[4].CachedTokenCount);
    }

    [Fact]
    public async Task BlocksOfBfloat16HoldWhatIsAttendedTo()
    {
        Libtorch.Require();
        string demo = Path.Combine(Repository.Root, "models", "demo");
        using var model = TorchLanguageModel.Open(demo, threads: 2);
        int[] prompt = RandomFolder.Tokens(60, model.Config.Vocabulary);

        // The second one finds what the first one computed and rounded.
        GenerationResult[] answers = await RunAsync(model, demo, [prompt, prompt], KvFormat.BF16);
        Assert.Equal(59, answers[1].CachedTokenCount);
        Assert.Equal(answers[0].Choices[0].TokenIds, answers[1].Choices[0].TokenIds);
    }

    [Fact]
    public void AStepIsCheckedBeforeAnythingIsComputed()
    {
        Libtorch.Require();
        using var model = TorchLanguageModel.Open(Path.Combine(Repository.Root, "models", "demo"), threads: 1);
        using var cache = new KvCache(model.Config.CreateLayout(), new KvCacheOptions { HotBlocks = 8, Prefault = false });
        using BlockLease lease = cache.AcquirePrivate();
        Assert.True(lease.TryReserve(2));
        using StepBatch batch = model.CreateBatch(KvFormat.F32);
        batch.Add(lease.Table, [1, model.Config.Vocabulary], 0, 1);
        Assert.Throws<ArgumentException>(() => model.Forward(batch));
    }

    [Fact]
    public void ItSharesNoBlocksWithOurOwnEngine()
    {
        Libtorch.Require();
        string demo = Path.Combine(Repository.Root, "models", "demo");
        using LanguageModel own = LanguageModel.Load(demo, new ModelOptions { Threads = 1 });
        using var model = TorchLanguageModel.Open(demo, threads: 1);
        Assert.Equal(own.Fingerprint.Length, model.Fingerprint.Length);
        Assert.NotEqual(own.Fingerprint.ToArray(), model.Fingerprint.ToArray());
    }

    private static async Task<GenerationResult[]> RunAsync(LanguageModel model, string folder, int[][] prompts, KvFormat format = KvFormat.F32)
    {
        await using TieredCache tiers = await CountedModel.OpenAsync(model.Config.CreateLayout(format), 64);
        await using var engine = new Engine(model, Tokenizer.Load(folder), tiers.Cache, new EngineOptions { PrefillChunk = 24 }, tiers: tiers);
        Task<GenerationResult> Submit(int[] prompt) => engine.Submit(new GenerationRequest
        {
            Prompt = prompt,
            MaxNewTokens = 10,
            Sampling = SamplingOptions.Greedy,
            IgnoreEndOfText = true,
        }).Completion;
        GenerationResult first = await Submit(prompts[0]);
        return [first, .. await Task.WhenAll(prompts[1..].Select(Submit))];
    }
}
