using KvTiers.Inference.Scheduling;
using KvTiers.Tests.Shared;

namespace KvTiers.Inference.Tests.Scheduling;

/// <summary>What is computed, and what is found.</summary>
public sealed class EnginePrefixTests(TinyModel tiny) : IClassFixture<TinyModel>
{
    [Fact]
    public async Task AHundredRequestsThatArriveTogetherComputeTheirSharedPrefixOnce()
    {
        int[] shared = Requests.Tokens(500, 1);
        GenerationRequest[] requests =
            [.. Enumerable.Range(0, 100).Select(i => Requests.Of([.. shared, 10 + i, .. Requests.Tokens(24, 1000 + i)], newTokens: 2))];
        using var log = new StepLog();
        await using var host = new EngineHost(
            new HookedModel(tiny.WithThreads(1), log.Record), tiny.Tokenizer, blocks: 512, new EngineOptions { PrefillChunk = 64, MaxTokensPerStep = 256 });

        Task<GenerationResult[]> running = host.RunTogether(requests);
        await log.UntilHeld();
        log.Open();
        GenerationResult[] results = await running;

        Assert.Equal(525 + (99 * 25), results.Sum(result => result.ComputedTokenCount));
        Assert.Equal(525 + (99 * 25) + 100, log.Rows);
        Assert.Equal(99, results.Count(result => result.CachedTokenCount == 500));
        EngineSnapshot snapshot = host.Engine.Snapshot();
        Assert.Equal((525L + (99 * 25), 99L * 500, 200L), (snapshot.ComputedTokens, snapshot.CachedTokens, snapshot.GeneratedTokens));
    }

    [Fact]
    public async Task AFollowerGoesOnAloneWhenItsLeaderIsCancelled()
    {
        int[] shared = Requests.Tokens(300, 2);
        using var cancellation = new CancellationTokenSource();
        using var log = new StepLog();
        await using var host = new EngineHost(
            new HookedModel(tiny.WithThreads(1), log.Record), tiny.Tokenizer, options: new EngineOptions { PrefillChunk = 32, MaxTokensPerStep = 64 });

        Generation leader = host.Engine.Submit(Requests.Of([.. shared, 5]), cancellation.Token);
        Generation follower = host.Engine.Submit(Requests.Of([.. shared, 6], newTokens: 3));
        await log.UntilHeld();
        cancellation.Cancel();
        log.Open();
        GenerationResult result = await follower.Completion.WaitAsync(HangLimit.Time);

        Assert.Equal(FinishReason.Cancelled, (await leader.Completion).Choices[0].FinishReason);
        Assert.Equal(301, result.CachedTokenCount + result.ComputedTokenCount);
        Requests.AssertSame(await host.Run(Requests.Of([.. shared, 6], newTokens: 3) with { UseCache = false }), result);
    }

    [Fact]
    public async Task TheSecondTurnComputesOnlyItsNewTokens()
    {
        int[] first = Requests.Tokens(45, 3);
        await using EngineHost host = Host();

        GenerationResult turnOne = await host.Run(Requests.Of(first, newTokens: 30));
        int[] second = [.. first, .. turnOne.Choices[0].TokenIds, .. Requests.Tokens(20, 4)];
        GenerationResult turnTwo = await host.Run(Requests.Of(second, newTokens: 10));

        Assert.Equal(45 + 30 - 1, turnTwo.CachedTokenCount);
        Assert.Equal(20 + 1, turnTwo.ComputedTokenCount);
    }

    [Fact]
    public async Task AnEditIsComputedFromTheFirstDifferingTokenOn()
    {
        int[] prompt = Requests.Tokens(100, 5);
        await using EngineHost host = Host();
        await host.Run(Requests.Of(prompt, newTokens: 1));

        foreach (int at in new[] { 0, 1, 15, 16, 17, 63, 98 })
        {
            int[] edited = [.. prompt];
            edited[at] = edited[at] == 7 ? 8 : 7;
            GenerationResult result = await host.Run(Requests.Of(edited, newTokens: 1));

            Assert.Equal((at, 100 - at), (result.CachedTokenCount, result.ComputedTokenCount));
        }
    }

    [Fact]
    public async Task ThePromptOfManyChoicesIsComputedOnceAndHeldOnce()
    {
        using var log = new StepLog();
        log.Open();
        await using var host = new EngineHost(new HookedModel(tiny.WithThreads(1), log.Record), tiny.Tokenizer);

        // 100 tokens are 6 blocks and 4 tokens; each of the 8 choices adds 10.
        GenerationResult result = await host.Run(Requests.Of(Requests.Tokens(100, 6), 10, Requests.Seeded) with { Choices = 8 });

        Assert.Equal(100, result.ComputedTokenCount);
        Assert.Equal(100 + (8 * 9), log.Rows);
        Assert.Equal(6 + 8, host.Cache.Snapshot().EvictableBlocks);
    }

    [Fact]
    public async Task ARequestWithoutTheCacheFindsNothingAndLeavesNothing()
    {
        int[] prompt = Requests.Tokens(80, 7);
        await using EngineHost host = Host();

        GenerationResult first = await host.Run(Requests.Of(prompt) with { UseCache = false, Choices = 3, Sampling = Requests.Seeded });
        Assert.Equal(host.Cache.Pool.Capacity, host.Cache.Pool.FreeCount);
        GenerationResult cached = await host.Run(Requests.Of(prompt));
        GenerationResult second = await host.Run(Requests.Of(prompt) with { UseCache = false });

        Assert.Equal([0, 0, 0], [first.CachedTokenCount, cached.CachedTokenCount, second.CachedTokenCount]);
    }

    [Fact]
    public async Task TenantsDoNotFindEachOthersBlocks()
    {
        GenerationRequest request = Requests.Of(Requests.Tokens(50, 8), newTokens: 1);
        await using EngineHost host = Host();

        await host.Run(request with { TenantSalt = new byte[] { 1 } });
        GenerationResult other = await host.Run(request with { TenantSalt = new byte[] { 2 } });
        GenerationResult same = await host.Run(request with { TenantSalt = new byte[] { 1 } });

        Assert.Equal((0, 49), (other.CachedTokenCount, same.CachedTokenCount));
    }

    [Fact]
    public async Task PromptLogProbabilitiesAreThoseOfGenerationAndNeedNoEmptyCache()
    {
        int[] prompt = Requests.Tokens(40, 9);
        await using EngineHost host = Host();
        GenerationResult generated = await host.Run(Requests.Of(prompt, newTokens: 60));
        int[] whole = [.. prompt, .. generated.Choices[0].TokenIds];

        GenerationResult echoed = await host.Run(Requests.Of(whole, newTokens: 0) with { PromptLogProbs = 3 });

        Assert.Equal(0, echoed.CachedTokenCount);
        Assert.Equal(100, echoed.PromptLogProbs!.Count);
        Assert.Null(echoed.PromptLogProbs[0]);
        Requests.AssertSame(generated.Choices[0].LogProbs!, [.. echoed.PromptLogProbs.Skip(40)]);
        Assert.Equal(whole[1..], echoed.PromptLogProbs.Skip(1).Select(token => token!.Id));
        Assert.Null(generated.PromptLogProbs);
    }

    [Fact]
    public async Task PromptLogProbabilitiesSurviveAPreemption()
    {
        GenerationRequest[] requests =
            [.. Enumerable.Range(0, 6).Select(i => Requests.Of(Requests.Tokens(70, 20 + i), newTokens: 40) with { PromptLogProbs = 0 })];
        await using EngineHost ample = Host();
        using var log = new StepLog();
        await using var tight = new EngineHost(
            new HookedModel(tiny.WithThreads(1), log.Record), tiny.Tokenizer, blocks: 12, new EngineOptions { PrefillChunk = 9 });

        GenerationResult[] expected = await ample.RunTogether(requests);
        Task<GenerationResult[]> together = tight.RunTogether(requests);
        await log.UntilHeld();
        log.Open();
        GenerationResult[] actual = await together;

        Assert.True(tight.Engine.Snapshot().Preemptions > 0);
        for (int i = 0; i < requests.Length; i++)
        {
            Requests.AssertSame(expected[i].PromptLogProbs!, actual[i].PromptLogProbs!);
            Requests.AssertSame(expected[i], actual[i]);
        }
    }

    [Fact]
    public async Task ALeaseThatWasAskedForHoldsPromptAndAnswerAgainstEviction()
    {
        int[] prompt = Requests.Tokens(40, 10);
        await using EngineHost host = Host(blocks: 12);

        GenerationResult kept = await host.Run(Requests.Of(prompt, newTokens: 20) with { KeepLease = true });
        Assert.Equal(59, kept.Lease!.TokenCount);
        for (int i = 0; i < 5; i++)
            await host.Run(Requests.Of(Requests.Tokens(100, 50 + i), newTokens: 5));
        GenerationResult next = await host.Run(Requests.Of([.. prompt, .. kept.Choices[0].TokenIds, 5], newTokens: 1));

        Assert.Equal(59, next.CachedTokenCount);
        kept.Lease.Dispose();
        Assert.Equal(12, host.AvailableBlocks);
    }

    private EngineHost Host(int blocks = 256) => new(tiny.WithThreads(1), tiny.Tokenizer, blocks);
}
