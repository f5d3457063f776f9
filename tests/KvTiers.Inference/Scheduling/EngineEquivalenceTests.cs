using KvTiers.Blocks;
using KvTiers.Inference.Scheduling;

namespace KvTiers.Inference.Tests.Scheduling;

/// <summary>One request gives one answer, bit for bit, whatever the circumstances.</summary>
public sealed class EngineEquivalenceTests(TinyModel tiny) : IClassFixture<TinyModel>
{
    [Theory]
    [InlineData(false, KvFormat.F32)]
    [InlineData(true, KvFormat.F32)]
    [InlineData(false, KvFormat.BF16)]
    [InlineData(true, KvFormat.BF16)]
    public async Task TheAnswerIsTheSameWithTheCacheOffColdAndHot(bool seeded, KvFormat format)
    {
        GenerationRequest request = Requests.Of(Requests.Tokens(53, 1), 60, seeded ? Requests.Seeded : Requests.Greedy);
        await using EngineHost host = Host(format: format);

        GenerationResult off = await host.Run(request with { UseCache = false });
        GenerationResult cold = await host.Run(request);
        GenerationResult hot = await host.Run(request);

        Assert.Equal((0, 53), (off.CachedTokenCount, off.ComputedTokenCount));
        Assert.Equal((0, 53), (cold.CachedTokenCount, cold.ComputedTokenCount));
        Assert.Equal((52, 1), (hot.CachedTokenCount, hot.ComputedTokenCount));
        Assert.True(off.Choices[0].LogProbs!.DistinctBy(token => token.LogProb).Count() > 50, "An answer that does not depend on the context would prove nothing.");
        Requests.AssertSame(off, cold);
        Requests.AssertSame(off, hot);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task TheAnswerIsTheSameAloneAndInABatchOfEight(bool useCache)
    {
        GenerationRequest[] requests = [.. Requests.Eight().Select(request => request with { UseCache = useCache })];
        GenerationResult[] alone = await OneByOne(requests);
        using var log = new StepLog();
        await using var host = new EngineHost(new HookedModel(tiny.WithThreads(1), log.Record), tiny.Tokenizer);

        Task<GenerationResult[]> together = host.RunTogether(requests);
        await log.UntilHeld();
        log.Open();
        GenerationResult[] batched = await together;

        Assert.Contains(log.Steps, step => step.Length == 8);
        for (int i = 0; i < requests.Length; i++)
            Requests.AssertSame(alone[i], batched[i]);
    }

    [Theory]
    [InlineData(1, 8)]
    [InlineData(7, 640)]
    [InlineData(16, 20)]
    [InlineData(512, 11)]
    public async Task TheAnswerIsTheSameHoweverThePromptIsCut(int prefillChunk, int maxTokensPerStep)
    {
        GenerationRequest[] requests = Requests.Eight();
        GenerationResult[] whole = await OneByOne(requests);
        await using EngineHost host = Host(options: new EngineOptions { PrefillChunk = prefillChunk, MaxTokensPerStep = maxTokensPerStep, MaxRunning = 8 });

        GenerationResult[] cut = await host.RunTogether(requests);

        for (int i = 0; i < requests.Length; i++)
            Requests.AssertSame(whole[i], cut[i]);
    }

    [Fact]
    public async Task TheAnswerIsTheSameOnOneAndTwoThreads()
    {
        GenerationRequest[] requests = Requests.Eight();
        GenerationResult[] one = await OneByOne(requests);
        await using EngineHost host = Host(threads: 2);

        GenerationResult[] two = await host.RunTogether(requests);

        for (int i = 0; i < requests.Length; i++)
            Requests.AssertSame(one[i], two[i]);
    }

    [Theory]
    [InlineData(true, 12)]
    [InlineData(true, 24)]
    [InlineData(false, 12)]
    public async Task TheAnswerIsTheSameWhenBlocksRunOut(bool useCache, int blocks)
    {
        GenerationRequest[] requests = [.. Requests.Eight().Select(request => request with { UseCache = useCache })];
        GenerationResult[] ample = await OneByOne(requests);
        using var log = new StepLog();
        await using var host = new EngineHost(new HookedModel(tiny.WithThreads(1), log.Record), tiny.Tokenizer, blocks);

        Task<GenerationResult[]> together = host.RunTogether(requests);
        await log.UntilHeld();
        log.Open();
        GenerationResult[] tight = await together;

        EngineSnapshot snapshot = host.Engine.Snapshot();
        Assert.True(snapshot.Preemptions > 0, "The pool must be too small for this to mean anything.");
        for (int i = 0; i < requests.Length; i++)
            Requests.AssertSame(ample[i], tight[i]);
        Assert.Equal(blocks, host.AvailableBlocks);
        Assert.All(tight, result => Assert.Equal(result.PromptTokenCount, result.CachedTokenCount + result.ComputedTokenCount));
    }

    [Fact]
    public async Task EachChoiceIsTheSameWithTheCacheOffAndOnAndTheFirstIsThatOfASingleChoice()
    {
        GenerationRequest request = Requests.Of(Requests.Tokens(37, 4), 30, Requests.Seeded) with { Choices = 4 };
        await using EngineHost host = Host();

        GenerationResult off = await host.Run(request with { UseCache = false });
        GenerationResult on = await host.Run(request);
        GenerationResult single = await host.Run(request with { Choices = 1 });

        Assert.Equal(4, on.Choices.Select(choice => choice.Text).Distinct().Count());
        Requests.AssertSame(off, on);
        Requests.AssertSame(single.Choices[0], on.Choices[0]);
    }

    [Fact]
    public async Task ChoicesForWhichThereIsNoBlockYetGiveTheSameAnswerLater()
    {
        GenerationRequest request = Requests.Of(Requests.Tokens(60, 5), 30, Requests.Seeded) with { Choices = 6 };
        await using EngineHost ample = Host();
        await using EngineHost tight = Host(blocks: 8);
        await using EngineHost narrow = Host(options: new EngineOptions { MaxRunning = 2 });

        GenerationResult expected = await ample.Run(request);

        Requests.AssertSame(expected, await tight.Run(request));
        Requests.AssertSame(expected, await tight.Run(request with { UseCache = false }));
        Requests.AssertSame(expected, await narrow.Run(request));
    }

    [Fact]
    public async Task EditingAPromptAndBackGivesTheFirstAnswerAgain()
    {
        int[] prompt = Requests.Tokens(90, 6);
        int[] edited = [.. prompt];
        edited[41] = edited[41] == 5 ? 6 : 5;
        await using EngineHost host = Host();

        GenerationResult first = await host.Run(Requests.Of(prompt));
        GenerationResult other = await host.Run(Requests.Of(edited));
        GenerationResult back = await host.Run(Requests.Of(prompt));
        GenerationResult otherOff = await host.Run(Requests.Of(edited) with { UseCache = false });

        Assert.Equal(41, other.CachedTokenCount);
        Assert.Equal(89, back.CachedTokenCount);
        Assert.NotEqual(first.Choices[0].TokenIds, other.Choices[0].TokenIds);
        Requests.AssertSame(first, back);
        Requests.AssertSame(otherOff, other);
    }

    private async Task<GenerationResult[]> OneByOne(IEnumerable<GenerationRequest> requests)
    {
        await using EngineHost host = Host();
        var results = new List<GenerationResult>();
        foreach (GenerationRequest request in requests)
            results.Add(await host.Run(request));
        return [.. results];
    }

    private EngineHost Host(int threads = 1, int blocks = 256, EngineOptions? options = null, KvFormat format = KvFormat.F32) =>
        new(tiny.WithThreads(threads), tiny.Tokenizer, blocks, options, format);
}
