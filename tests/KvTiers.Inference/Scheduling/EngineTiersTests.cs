using KvTiers.Blocks;
using KvTiers.Diagnostics;
using KvTiers.Inference.Model;
using KvTiers.Inference.Scheduling;
using KvTiers.Tiers;
using KvTiers.Tiers.Disk;
using KvTiers.Tiers.Encodings;

namespace KvTiers.Inference.Tests.Scheduling;

/// <summary>An engine whose hot tier is far too small, over colder tiers: the same bits, and nothing computed twice.</summary>
public sealed class EngineTiersTests(TinyModel tiny) : IClassFixture<TinyModel>, IDisposable
{
    private const int Conversations = 10;
    private const int Turns = 4;

    private readonly TemporaryFolder _folder = new();

    [Fact]
    public async Task WithTheRestInRamEachTurnComputesOnlyItsNewTokens() => await AssertNothingIsRecomputed(format => [Ram(format, 4096)]);

    [Fact]
    public async Task WithTheRestOnDiskEachTurnComputesOnlyItsNewTokens() => await AssertNothingIsRecomputed(format => [Disk(format)]);

    [Fact]
    public async Task WithTheRestInRamAndOnDiskEachTurnComputesOnlyItsNewTokens() => await AssertNothingIsRecomputed(format => [Ram(format, 64), Disk(format)]);

    [Fact]
    public async Task AfterARestartTheDisksBlocksAreUsed()
    {
        GenerationRequest request = Requests.Of(Requests.Tokens(100, 1));
        GenerationResult first, second;
        await using (var host = new TieredHost(tiny, 64, format => [Disk(format) with { WritePolicy = WritePolicy.OnSeal, Exclusive = false }]))
        {
            first = await host.Run(request);
            await host.Tiers.DrainAsync(CancellationToken.None);
        }

        await using (var host = new TieredHost(tiny, 64, format => [Disk(format) with { WritePolicy = WritePolicy.OnSeal, Exclusive = false }]))
        {
            second = await host.Run(request);
        }

        Requests.AssertSame(first, second);

        // Six blocks. The next three tokens sit in a block that goes on with the answer, and colder tiers find blocks by all of their tokens.
        Assert.Equal((96, 96), (second.CachedTokenCount, second.PromotedTokenCounts["disk"]));
    }

    [Fact]
    public async Task CancelledWhileLoadingLeavesNoLease()
    {
        await using var host = new TieredHost(tiny, 32, format => [Disk(format)]);
        for (int i = 0; i < 20; i++)
        {
            using var cancellation = new CancellationTokenSource();
            Task<GenerationResult> run = host.Run(Requests.Of(Requests.Tokens(200, i % 4)), cancellation.Token);
            await cancellation.CancelAsync();
            await run;
        }

        Assert.Equal(0, host.Cache.Snapshot().Leases);
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

    private static TierOptions Ram(BlockRecord format, int blocks) => new()
    {
        Tier = new BlockTier("ram", format, new RamStore(format.RecordBytes, (long)blocks * format.RecordBytes)),
        Immediate = true,
    };

    private TierOptions Disk(BlockRecord format) => new()
    {
        Tier = new BlockTier("disk", format, DiskStore.Open(format, new DiskStoreOptions
        {
            Folder = Path.Combine(_folder.Path, "disk"),
            CapacityBytes = 4096L * format.RecordBytes,
            SegmentBytes = 64 << 20,
        })),
    };

    private sealed class TieredHost : IAsyncDisposable
    {
        private readonly Engine _engine;

        public TieredHost(TinyModel tiny, int blocks, Func<BlockRecord, TierOptions[]> tiers)
        {
            LanguageModel model = tiny.WithThreads(2);
            BlockLayout layout = model.Config.CreateLayout(KvFormat.F32);
            Tiers = new TierStack(new TierStackOptions
            {
                Tiers = tiers(new BlockRecord(BlockCodec.Create(layout, BlockEncoding.Hot))),
                Promotion = PromotionPolicy.Always,
            });
            Cache = new KvCache(layout, new KvCacheOptions { HotBlocks = blocks, Prefault = false }, observer: Tiers);
            Tiers.Attach(Cache);
            _engine = new Engine(model, tiny.Tokenizer, Cache, new EngineOptions(), tiers: Tiers);
        }

        public TierStack Tiers { get; }

        public KvCache Cache { get; }

        public Task<GenerationResult> Run(GenerationRequest request, CancellationToken cancellationToken = default) =>
            _engine.Submit(request, cancellationToken).Completion.WaitAsync(TimeSpan.FromSeconds(60), CancellationToken.None);

        public async ValueTask DisposeAsync()
        {
            await _engine.DisposeAsync();
            CacheIntegrity.Check(Cache);
            await Tiers.DisposeAsync();
            Cache.Dispose();
        }
    }
}
