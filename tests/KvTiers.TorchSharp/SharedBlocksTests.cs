using KvTiers.Blocks;
using KvTiers.Inference.Model;
using KvTiers.Samples.TorchGenerate;
using KvTiers.Tiers;
using KvTiers.TorchSharp.Models;

namespace KvTiers.TorchSharp.Tests;

/// <summary>One engine reads the blocks that the other one wrote, where model and layout are the same; else their names differ.</summary>
public sealed class SharedBlocksTests
{
    public static TheoryData<string> Models => ["demo", "tiny", "tiny-gpt2"];

    [Theory]
    [MemberData(nameof(Models))]
    public async Task BlocksOfOurOwnEngineAreReadByTheTorchModel(string name)
    {
        Libtorch.Require();
        using var folder = new TemporaryFolder();
        string path = RandomFolder.Write(name, folder.Path);
        using LanguageModel own = LanguageModel.Load(path, new ModelOptions { Threads = 2 });
        using TorchModel model = TorchModel.Load(path);
        await using TieredCache tiers = await CountedModel.OpenAsync(own.Config.CreateLayout(), 64);
        int[] prompt = RandomFolder.Tokens(70, own.Config.Vocabulary);
        (int[] expected, _) = await OwnEngine.GenerateAsync(own, path, tiers, prompt, 16);
        using TieredPast past = await ModelTests.OpenAsync(own.Config, tiers, own.Fingerprint, prompt);
        Assert.Equal(69, past.Length);
        GenerateResult result = Generation.Generate(model, prompt, past, new GenerateOptions(16));
        Assert.Equal(expected, result.Tokens);
        Assert.Equal(1 + 15, result.ComputedTokens);
    }

    [Theory]
    [MemberData(nameof(Models))]
    public async Task BlocksOfTheTorchModelAreReadByOurOwnEngine(string name)
    {
        Libtorch.Require();
        using var folder = new TemporaryFolder();
        string path = RandomFolder.Write(name, folder.Path);
        using LanguageModel own = LanguageModel.Load(path, new ModelOptions { Threads = 2 });
        using TorchModel model = TorchModel.Load(path);
        await using TieredCache tiers = await CountedModel.OpenAsync(own.Config.CreateLayout(), 64);
        int[] prompt = RandomFolder.Tokens(70, own.Config.Vocabulary);
        int[] expected;
        using (TieredPast past = await ModelTests.OpenAsync(own.Config, tiers, own.Fingerprint, prompt))
        {
            expected = Generation.Generate(model, prompt, past, new GenerateOptions(16)).Tokens;
            past.Cache.Publish();
        }

        (int[] tokens, int cached) = await OwnEngine.GenerateAsync(own, path, tiers, prompt, 16);
        Assert.Equal(69, cached);
        Assert.Equal(expected, tokens);
    }

    [Fact]
    public async Task BlocksOfAnotherModelOrFormatHaveOtherNames()
    {
        Libtorch.Require();
        using TemporaryFolder folder = new(), otherFolder = new();
        string path = RandomFolder.Write("tiny", folder.Path), otherPath = RandomFolder.Write("one KV head", otherFolder.Path);
        using LanguageModel own = LanguageModel.Load(path, new ModelOptions { Threads = 1 }), other = LanguageModel.Load(otherPath, new ModelOptions { Threads = 1 });
        using LanguageModel rounded = LanguageModel.Load(path, new ModelOptions { Threads = 1, WeightFormat = WeightFormat.BF16 });
        int[] prompt = RandomFolder.Tokens(40, own.Config.Vocabulary);
        await using TieredCache tiers = await CountedModel.OpenAsync(own.Config.CreateLayout(), 64);
        await OwnEngine.GenerateAsync(own, path, tiers, prompt, 1);
        foreach ((ReadOnlyMemory<byte> fingerprint, int found) in ((ReadOnlyMemory<byte>, int)[])[(own.Fingerprint, 39), (other.Fingerprint, 0), (rounded.Fingerprint, 0)])
        {
            using TorchKvCache cache = await TorchKvCache.AcquireAsync(tiers, tiers.RootFor(fingerprint.Span), prompt, new() { MaxTokens = 64 });
            Assert.Equal(found, cache.SequenceLength);
        }

        await using TieredCache halves = await CountedModel.OpenAsync(own.Config.CreateLayout(KvFormat.BF16), 64);
        Assert.NotEqual(tiers.RootFor(own.Fingerprint.Span), halves.RootFor(own.Fingerprint.Span));
    }
}
