using KvTiers.Inference.Scheduling;
using KvTiers.Tiers;

namespace KvTiers.Inference.Tests.Scheduling;

/// <summary>An engine whose hot tier is far too small, over colder tiers: the same bits, and nothing computed twice.</summary>
public sealed class EngineTiersTests(TinyModel tiny) : IClassFixture<TinyModel>, IDisposable
{
    private const int Conversations = 10;
    private const int Turns = 4;

    private readonly TemporaryFolder _folder = new();

    [Fact]
    public async Task WithTheRestInRamEachTurnComputesOnlyItsNewTokens() => await AssertNothingIsRecomputed(format => [TieredHost.Ram(format, 4096)]);

    [Fact]
    public async Task WithTheRestOnDiskEachTurnComputesOnlyItsNewTokens() => await AssertNothingIsRecomputed(format => [TieredHost.Disk(format, _folder)]);

    [Fact]
    public async Task WithTheRestInRamAndOnDiskEachTurnComputesOnlyItsNewTokens() => await AssertNothingIsRecomputed(format => [TieredHost.Ram(format, 64), TieredHost.Disk(format, _folder)]);

    [Fact]
    public async Task AfterARestartTheDisksBlocksAreUsed()
    {
        GenerationRequest request = Requests.Of(Requests.Tokens(100, 1));
        GenerationResult first, second;
        await using (var host = new TieredHost(tiny, 64, format => [TieredHost.Disk(format, _folder) with { WritePolicy = WritePolicy.OnSeal, Exclusive = false }]))
        {
            first = await host.Run(request);
            await host.Tiers.DrainAsync(CancellationToken.None);
        }

        await using (var host = new TieredHost(tiny, 64, format => [TieredHost.Disk(format, _folder) with { WritePolicy = WritePolicy.OnSeal, Exclusive = false }]))
            second = await host.Run(request);

        Requests.AssertSame(first, second);

        // Six blocks. The next three tokens sit in a block that goes on with the answer, and colder tiers find blocks by all of their tokens.
        Assert.Equal((96, 96), (second.CachedTokenCount, second.PromotedTokenCounts["disk"]));
    }

    [Fact]
    public async Task CancelledWhileLoadingLeavesNoLease()
    {
        await using var host = new TieredHost(tiny, 32, format => [TieredHost.Disk(format, _folder)]);
        for (int i = 0; i < 20; i++)
        {
            using var cancellation = new CancellationTokenSource();
            Task<GenerationResult> run = host.Run(Requests.Of(Requests.Tokens(200, i % 4)), cancellation.Token);
            await cancellation.CancelAsync();
            await run;
        }

        Assert.Equal(0, host.Cache.Snapshot().Leases);
    }

    [Fact]
    public async Task ASequenceThatGaveWayLoadsWhatItHadComputed()
    {
        GenerationRequest[] requests = [.. Enumerable.Range(0, 6).Select(i => Requests.Of(Requests.Tokens(40 + i, i), 60))];
        await using var plain = new EngineHost(tiny.WithThreads(1), tiny.Tokenizer, blocks: 64);
        await using var host = new TieredHost(tiny, 16, format => [TieredHost.Ram(format, 256)]);
        GenerationResult[] expected = await plain.RunTogether(requests);
        GenerationResult[] actual = await host.RunTogether(requests);

        Assert.True(host.Engine.Snapshot().Preemptions > 0, "The pool must be too small for this to mean anything.");
        for (int i = 0; i < requests.Length; i++)
        {
            Requests.AssertSame(expected[i], actual[i]);
            Assert.Equal((i, 40 + i, 0), (i, actual[i].ComputedTokenCount, actual[i].RecomputedTokenCount));
        }
    }

    public void Dispose() => _folder.Dispose();

    private async Task AssertNothingIsRecomputed(Func<BlockRecord, TierOptions[]> tiers)
    {
        await using var plain = new EngineHost(tiny.WithThreads(1), tiny.Tokenizer, blocks: 64);
        await using var host = new TieredHost(tiny, 32, tiers);
        List<int>[] logs = [.. Enumerable.Range(0, Conversations).Select(i => new List<int>(Requests.Tokens(60 + (7 * i), i)))];
        int promoted = 0;
        for (int turn = 0; turn < Turns; turn++)
        {
            for (int i = 0; i < Conversations; i++)
            {
                int known = turn == 0 ? 0 : logs[i].Count - 1; // the last token was sampled, and not computed
                if (turn > 0)
                    logs[i].AddRange(Requests.Tokens(9, 1000 + (turn * 100) + i));
                GenerationRequest request = Requests.Of([.. logs[i]], 12);
                GenerationResult expected = await plain.Run(request with { UseCache = false });
                GenerationResult actual = await host.Run(request);
                Requests.AssertSame(expected, actual);
                Assert.Equal((turn, i, known), (turn, i, actual.CachedTokenCount));
                promoted += actual.PromotedTokenCounts.Values.Sum();
                logs[i].AddRange(actual.Choices[0].TokenIds);
            }
        }

        Assert.True(promoted > 1000, $"only {promoted} tokens came from the tiers");
    }
}
