using KvTiers.Inference.Model;
using KvTiers.Inference.Scheduling;
using KvTiers.Inference.Tokens;
using KvTiers.Samples.TorchGenerate;
using KvTiers.Tiers;

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
        using var torchModel = new TorchLanguageModel(TorchModel.Load(path), [1, 2, 3]);
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

    private static async Task<GenerationResult[]> RunAsync(LanguageModel model, string folder, int[][] prompts)
    {
        await using TieredCache tiers = await CountedModel.OpenAsync(model.Config.CreateLayout(), 64);
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
