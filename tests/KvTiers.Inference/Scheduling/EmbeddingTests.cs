using KvTiers.Inference.Scheduling;

namespace KvTiers.Inference.Tests.Scheduling;

/// <summary>One vector of a prompt's hidden states.</summary>
public sealed class EmbeddingTests(TinyModel tiny) : IClassFixture<TinyModel>
{
    [Fact]
    public async Task TheMeanIsThatOfTheLastTokensOfAllPrefixes()
    {
        int[] prompt = Requests.Tokens(37, 1);
        await using EngineHost host = Host(chunk: 5);

        float[] mean = await Embed(host, prompt, EmbeddingPooling.Mean);

        double[] sum = new double[mean.Length];
        for (int length = 1; length <= prompt.Length; length++)
        {
            float[] last = await Embed(host, prompt[..length], EmbeddingPooling.LastToken);
            for (int i = 0; i < last.Length; i++) sum[i] += last[i];
        }

        Assert.Equal(sum.Select(value => (float)(value / prompt.Length)), mean);
        Assert.Contains(mean, value => value != 0);
    }

    [Fact]
    public async Task TheLastTokenTakesWhatIsCachedAndTheMeanComputesAllWithTheSameBits()
    {
        int[] prompt = Requests.Tokens(100, 2);
        await using EngineHost host = Host(chunk: 512);
        await using EngineHost cold = Host(chunk: 512);
        await host.Run(Requests.Of(prompt, newTokens: 8));

        GenerationResult last = await host.Run(Request(prompt, EmbeddingPooling.LastToken));
        GenerationResult mean = await host.Run(Request(prompt, EmbeddingPooling.Mean));

        Assert.Equal((99, 1), (last.CachedTokenCount, last.ComputedTokenCount));
        Assert.Equal((0, 100), (mean.CachedTokenCount, mean.ComputedTokenCount));
        Assert.Equal(await Embed(cold, prompt, EmbeddingPooling.LastToken), last.Embedding!.Value.ToArray());
        Assert.Equal(await Embed(cold, prompt, EmbeddingPooling.Mean), mean.Embedding!.Value.ToArray());
        Assert.Null((await host.Run(Requests.Of(prompt, newTokens: 1))).Embedding);
    }

    [Fact]
    public async Task WhatElseRunsAndGivingWayChangeNoBit()
    {
        int[][] prompts = [.. Enumerable.Range(0, 12).Select(i => Requests.Tokens(60 + (17 * i), 30 + i))];
        var expected = new List<float[]>();
        await using EngineHost alone = Host(chunk: 512);
        foreach (int[] prompt in prompts) expected.Add(await Embed(alone, prompt, EmbeddingPooling.Mean));

        // Too few blocks for all, so that some give way in the midst of their prompts.
        using var log = new StepLog();
        await using var host = new EngineHost(
            new HookedModel(tiny.WithThreads(1), log.Record), tiny.Tokenizer, blocks: 40, new EngineOptions { PrefillChunk = 16, MaxTokensPerStep = 64 });
        Task<GenerationResult[]> together = host.RunTogether([
            .. Enumerable.Range(0, 6).Select(i => Requests.Of(Requests.Tokens(50, 80 + i), newTokens: 60)),
            .. prompts.Select(prompt => Request(prompt, EmbeddingPooling.Mean)),
        ]);
        await log.UntilHeld();
        log.Open();
        GenerationResult[] results = await together;

        Assert.True(host.Engine.Snapshot().Preemptions > 0);
        for (int i = 0; i < prompts.Length; i++) Assert.Equal(expected[i], results[6 + i].Embedding!.Value.ToArray());
    }

    [Fact]
    public async Task AModelWithoutHiddenStatesIsNotAskedForThem()
    {
        var plain = new PlainModel(tiny.WithThreads(1));
        await using var host = new EngineHost(plain, tiny.Tokenizer);
        ArgumentException e = Assert.Throws<ArgumentException>(() => host.Engine.Submit(Request([5, 6], EmbeddingPooling.Mean)));
        Assert.StartsWith("Embedding is asked for", e.Message, StringComparison.Ordinal);
    }

    private static GenerationRequest Request(int[] prompt, EmbeddingPooling pooling) => new() { Prompt = prompt, MaxNewTokens = 0, Embedding = pooling };

    private static async Task<float[]> Embed(EngineHost host, int[] prompt, EmbeddingPooling pooling) =>
        (await host.Run(Request(prompt, pooling))).Embedding!.Value.ToArray();

    private EngineHost Host(int chunk) => new(tiny.WithThreads(1), tiny.Tokenizer, options: new EngineOptions { PrefillChunk = chunk });
}
