using KvTiers.Blocks;
using KvTiers.Prefix;
using KvTiers.Tiers;
using KvTiers.Tiers.Encodings;

namespace KvTiers.Tests.Tiers;

public sealed class TieredCacheTests : IAsyncDisposable
{
    private static readonly BlockHash Root = BlockHash.Root("model"u8, TestTiers.Layout, []);

    private readonly ManualTime _time = new();
    private TieredCache? _tiers;

    private TieredCache Tiers => _tiers!;

    private KvCache Cache => Tiers.Cache;

    [Fact]
    public async Task WhatTheHotTierEvictsComesBackFromRamWithItsBits()
    {
        Open(hot: 4, Ram(8));
        Compute([.. Enumerable.Range(0, 16)]);
        Compute([.. Enumerable.Range(100, 16)]); // evicts the first four
        Assert.Equal(0, Cache.Peek(Root, [0, 1, 2, 3]).HotTokenCount);
        Assert.Equal(4, Tiers.Usage[0].Blocks);

        (int hot, PromotionResult promoted) = await Fetch([.. Enumerable.Range(0, 16)]);
        Assert.Equal((0, 16, 4), (hot, promoted.TokensByTier[0], promoted.LoadedBlocks));
        Assert.Equal(4, Tiers.Usage[0].Blocks); // exclusive: those that came have left, those that went are there
    }

    [Fact]
    public async Task APartialLastBlockComesBackToo()
    {
        Open(hot: 4, Ram(8));
        Compute([1, 2, 3, 4, 5, 6]);
        Compute([.. Enumerable.Range(100, 16)]);
        (_, PromotionResult promoted) = await Fetch([1, 2, 3, 4, 5, 6, 7, 8, 9]);
        Assert.Equal(6, promoted.TokenCount);
    }

    [Fact]
    public async Task BlocksAreFoundInWhateverTierTheyAre()
    {
        Open(hot: 4, Ram(2, "ram"), Ram(8, "disk"));
        Compute([.. Enumerable.Range(0, 16)]);
        Compute([.. Enumerable.Range(100, 16)]);
        Assert.Equal((2, 2), (Tiers.Usage[0].Blocks, Tiers.Usage[1].Blocks));
        (_, PromotionResult promoted) = await Fetch([.. Enumerable.Range(0, 16)]);
        Assert.Equal([8, 8], promoted.TokensByTier);
    }

    [Fact]
    public async Task SupersededBlocksAreNotHandedOnAndTheirCopiesGo()
    {
        Open(hot: 4, Ram(16));
        Compute([.. Enumerable.Range(0, 16)]);
        Compute([.. Enumerable.Range(100, 8)]); // two blocks of the first path are in RAM now
        Assert.Equal(2, Tiers.Usage[0].Blocks);
        (SupersedeResult hot, IReadOnlyList<TierRemoval> tiers) =
            await Tiers.SupersedeAsync(Path(0, 16), keptTokenCount: 5, null, CancellationToken.None);
        Assert.Equal(1, hot.SupersededBlocks);
        Assert.Equal(("ram", 2), (tiers[0].Tier, tiers[0].Blocks));
        Compute([.. Enumerable.Range(200, 16)]);
        Assert.Equal(3, Tiers.Usage[0].Blocks); // the first block of the cut path, and the two of the second
    }

    [Fact]
    public async Task ErasureReachesEveryTierAndSparesWhatOthersUse()
    {
        Open(hot: 4, Ram(2, "ram"), Ram(8, "disk"));
        Compute([.. Enumerable.Range(0, 16)]);
        Compute([.. Enumerable.Range(100, 16)]);
        IReadOnlyList<TierRemoval> tiers = await Tiers.EraseAsync(Path(0, 16), keptBlocks: 1, null, CancellationToken.None);
        Assert.Equal(3, tiers.Sum(tier => tier.Blocks));
        Assert.Equal(1, Tiers.Usage.Sum(usage => usage.Blocks));
        (_, PromotionResult promoted) = await Fetch([.. Enumerable.Range(0, 16)]);
        Assert.Equal(4, promoted.TokenCount);
    }

    [Fact]
    public void ABlockTakesItsRankAndItsTimeToLiveDown()
    {
        TierOptions first = Ram(2, "first"), second = Ram(8, "second");
        Open(hot: 4, first, second);
        Compute([.. Enumerable.Range(0, 16)]);
        Cache.SetPriority(Root, [.. Enumerable.Range(0, 16)], 99);
        Cache.SetTimeToLive(Root, [.. Enumerable.Range(0, 16)], TimeSpan.FromMinutes(5));
        DateTimeOffset expires = _time.GetUtcNow() + TimeSpan.FromMinutes(5);
        _time.Advance(TimeSpan.FromMinutes(1));
        Compute([.. Enumerable.Range(100, 16)]);
        var expected = new BlockAttributes { TokenCount = 4, Priority = BlockAttributes.MaxPriority, Expires = expires, Tenant = Root.TenantNumber };
        Assert.Equal([expected, expected], Held(first).Select(block => block.Attributes));
        Assert.Equal([expected, expected], Held(second).Select(block => block.Attributes));
        Compute([.. Enumerable.Range(200, 4)]);
        Assert.Equal(new BlockAttributes { TokenCount = 4, Tenant = Root.TenantNumber }, Held(first)[0].Attributes);
    }

    [Fact]
    public void OfAPathsTimeToLiveAndATiersTheShorterCounts()
    {
        TierOptions ram = Ram(8) with { TimeToLive = TimeSpan.FromMinutes(3), WritePolicy = WritePolicy.OnSeal };
        Open(hot: 8, ram);
        Compute([1, 2, 3, 4]);
        Cache.SetTimeToLive(Root, [1, 2, 3, 4], TimeSpan.FromMinutes(1));
        Compute([1, 2, 3, 4, 5, 6, 7, 8]);
        Assert.Equal([3, 1], Held(ram).OrderByDescending(block => block.Attributes.Expires).Select(block => (block.Attributes.Expires - _time.GetUtcNow())!.Value.Minutes));
    }

    [Fact]
    public async Task RecomputingIsChosenWhenItIsFaster()
    {
        Open(hot: 4, Ram(8));
        Compute([.. Enumerable.Range(0, 16)]);
        Compute([.. Enumerable.Range(100, 16)]);
        for (int i = 0; i < 200; i++)
            Tiers.Planner.AddPrefill(1_000_000, TimeSpan.FromTicks(1));

        for (int trial = 0; trial < 5; trial++)
        {
            Assert.Equal(4, (await Fetch([.. Enumerable.Range(0, 16)])).Promoted.LoadedBlocks);
            Cache.EvictAhead(32, 32);
        }

        (_, PromotionResult promoted) = await Fetch([.. Enumerable.Range(0, 16)]);
        Assert.Equal((4, 0, 0), (promoted.FoundBlocks, promoted.PlannedBlocks, promoted.LoadedBlocks));
    }

    [Fact]
    public async Task ConcurrentRequestsForOneBlockShareOneLoad()
    {
        var slow = new CountedStore(TestTiers.Store(64, _time));
        Open(hot: 32, TestTiers.Queued("slow", slow) with { WritePolicy = WritePolicy.OnSeal, Exclusive = false });
        int[] tokens = [.. Enumerable.Range(0, 16)];
        Compute(tokens);
        await Tiers.DrainAsync(CancellationToken.None);
        Assert.Equal(4, Cache.EvictAhead(32, 32));
        slow.Close();
        Task<(int Hot, PromotionResult Promoted)>[] fetches = [.. Enumerable.Range(0, 5).Select(_ => Task.Run(() => Fetch(tokens)))];
        await slow.FirstRead;
        slow.Open();
        (int Hot, PromotionResult Promoted)[] results = await Task.WhenAll(fetches);
        Assert.Equal(4, slow.Reads);
        Assert.Equal(16, results.Sum(result => result.Promoted.TokenCount));
    }

    /// <summary>DESIGN 10.4: exclusive tiers of a, b and c blocks together hit what one of a + b + c hits.</summary>
    [Fact]
    public async Task TheInclusionLawHoldsOnTheTrace()
    {
        string? path = TraceFile.Find();
        Assert.SkipWhen(path is null, "shared/traces is not beside the repository");
        var layout = new BlockLayout(Layers: 1, KvHeads: 1, HeadDim: 1, BlockSize: 1);
        var format = new BlockRecord(BlockCodec.Create(layout, BlockEncoding.Hot));
        BlockHash root = BlockHash.Root("trace"u8, layout, []);
        TierOptions Tier(string name, int blocks) =>
            TierOptions.Over(name, new RamStore(format.RecordBytes, (long)blocks * format.RecordBytes, _time)) with { ReadConcurrency = 64 };
        await using TieredCache tiers = TestTiers.Open(
            new TieredCacheOptions { Hot = TestTiers.Hot(1_000), Tiers = [Tier("second", 9_000), Tier("third", 40_000)], Promotion = PromotionPolicy.Always }, _time, layout);
        KvCache cache = tiers.Cache;
        long first = 0, second = 0, third = 0;
        foreach (int[] tokens in TraceFile.Read(path!))
        {
            using BlockLease lease = cache.Acquire(root, tokens);
            first += lease.CachedTokenCount;
            PromotionResult promoted = await tiers.PromoteAsync(lease, tokens, CancellationToken.None);
            second += promoted.TokensByTier[0];
            third += promoted.TokensByTier[1];
            Assert.True(cache.TryReserve(lease, tokens.Length - lease.TokenCount));
            cache.Append(lease, tokens.AsSpan(lease.TokenCount));
        }

        Assert.Equal((12_847, 48_199, 41_244), (first, second, third));
    }

    public async ValueTask DisposeAsync()
    {
        if (_tiers is not null)
            await _tiers.DisposeAsync();
    }

    private TierOptions Ram(int blocks, string name = "ram") => TestTiers.Ram(blocks, name, _time);

    private static IReadOnlyList<(BlockHash Hash, BlockAttributes Attributes)> Held(TierOptions ram) => ((RamStore)TestTiers.StoreOf(ram)).InEvictionOrder();

    private static BlockPath Path(int first, int count) => new(Root, 4, [.. Enumerable.Range(first, count)]);

    private void Open(int hot, params TierOptions[] tiers) => _tiers = TestTiers.Open(new TieredCacheOptions { Hot = TestTiers.Hot(hot), Tiers = tiers }, _time);

    /// <summary>Computes a sequence: every block's bytes follow from its tokens.</summary>
    private void Compute(int[] tokens)
    {
        using BlockLease lease = Cache.Acquire(Root, tokens);
        Assert.True(Cache.TryReserve(lease, tokens.Length - lease.TokenCount));
        for (int entry = lease.TokenCount / 4; entry < lease.Table.Count; entry++)
            Cache.Pool.Bytes(lease.Table.Slots[entry]).Fill((byte)tokens[entry * 4]);

        Cache.Append(lease, tokens.AsSpan(lease.TokenCount));
        Cache.Publish(lease);
    }

    private async Task<(int Hot, PromotionResult Promoted)> Fetch(int[] tokens)
    {
        using BlockLease lease = Cache.Acquire(Root, tokens);
        int hot = lease.TokenCount;
        PromotionResult promoted = await Tiers.PromoteAsync(lease, tokens, CancellationToken.None);
        for (int entry = 0; entry < lease.TokenCount / 4; entry++)
            Assert.Equal((byte)tokens[entry * 4], Cache.Pool.Bytes(lease.Table.Slots[entry])[5]);

        return (hot, promoted);
    }
}
