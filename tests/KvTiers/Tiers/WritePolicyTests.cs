using KvTiers.Prefix;
using KvTiers.Tests.Shared;
using KvTiers.Tiers;

namespace KvTiers.Tests.Tiers;

/// <summary>When a tier gets its copy of a block, and how far ahead of need the hot tier gives room.</summary>
public sealed class WritePolicyTests : IAsyncDisposable
{
    private static readonly BlockHash Root = BlockHash.Root("model"u8, TestTiers.Layout, []);

    private readonly ManualTime _time = new();
    private TieredCache? _tiers;

    private KvCache Cache => _tiers!.Cache;

    [Fact]
    public async Task ASecondUseTierGetsWhatIsFoundAgainAndNothingElse()
    {
        TierOptions slow = Tier("slow", 64) with { WritePolicy = WritePolicy.OnSecondUse };
        TieredCache tiers = Open(hot: 64, slow);
        int[] twice = Path(0, 18), once = Path(100, 18);
        Compute(twice);
        Compute(once);
        await tiers.DrainAsync(CancellationToken.None);
        Assert.Equal(0, tiers.Usage[0].Blocks);

        Compute([.. twice, .. Path(200, 8)]);
        await tiers.DrainAsync(CancellationToken.None);
        Assert.Equal(Chain(twice, 4), Held(slow));

        Compute([.. twice, .. Path(300, 8)]);
        await tiers.DrainAsync(CancellationToken.None);
        Assert.Equal((4, 4L), (tiers.Usage[0].Blocks, tiers.Usage[0].Writes));
    }

    [Fact]
    public async Task ABlockThatComesBackIsNotWrittenAgain()
    {
        TierOptions slow = Tier("slow", 64) with { WritePolicy = WritePolicy.OnSecondUse, Exclusive = false };
        TieredCache tiers = Open(hot: 4, slow);
        int[] path = Path(0, 16);
        Compute(path);
        Compute(path);
        await tiers.DrainAsync(CancellationToken.None);
        Compute(Path(100, 16)); // evicts the path
        using (BlockLease lease = Cache.Acquire(Root, path))
            Assert.Equal(4, (await tiers.PromoteAsync(lease, path, CancellationToken.None)).LoadedBlocks);

        Compute(path);
        await tiers.DrainAsync(CancellationToken.None);
        Assert.Equal(4, tiers.Usage[0].Writes);
    }

    [Fact]
    public async Task WhatAFullQueueDidNotTakeIsToldAgain()
    {
        var gate = new CountedStore(TestTiers.Store(64, _time));
        TieredCache tiers = Open(hot: 64, TestTiers.Queued("slow", gate) with { WritePolicy = WritePolicy.OnSecondUse, WriteQueueBlocks = 2 });
        int[] path = Path(0, 16);
        Compute(path);
        gate.Close();
        Compute(path); // two blocks find room in the queue
        gate.Open();
        await tiers.DrainAsync(CancellationToken.None);
        Assert.Equal(2, tiers.Usage[0].Blocks);
        Compute(path);
        await tiers.DrainAsync(CancellationToken.None);
        Assert.Equal(4, tiers.Usage[0].Blocks);
    }

    [Fact]
    public async Task BelowTheLowWatermarkBlocksGoDownUntilTheHighOne()
    {
        TieredCache tiers = Open(new Watermarks(0.25, 0.5), hot: 16, TestTiers.Ram(64, time: _time));
        Compute(Path(0, 48)); // 12 blocks: 4 free, which is not below a quarter
        Assert.Equal((4, 0), (Cache.Pool.FreeCount, tiers.Usage[0].Blocks));
        Compute(Path(100, 4)); // 3 free
        await Until(() => Cache.Pool.FreeCount == 8);
        Assert.Equal(5, tiers.Usage[0].Blocks);
        Assert.Equal(0, Cache.Peek(Root, Path(0, 48)[..48]).HotTokenCount % 4);
        using BlockLease lease = Cache.Acquire(Root, Path(0, 48));
        Assert.Equal(28, lease.TokenCount); // the oldest path lost its five last blocks
        Assert.Equal(5, (await tiers.PromoteAsync(lease, Path(0, 48), CancellationToken.None)).LoadedBlocks);
    }

    [Fact]
    public async Task AheadOfNeedSupersededBlocksGoFirstAndNowhere()
    {
        TieredCache tiers = Open(new Watermarks(0.25, 0.5), hot: 16, TestTiers.Ram(64, time: _time));
        Compute(Path(100, 16));
        Compute(Path(0, 32));
        await tiers.SupersedeAsync(new BlockPath(Root, 4, Path(0, 32)), keptTokenCount: 0, null, CancellationToken.None);
        Compute(Path(200, 4)); // 13 blocks in use
        await Until(() => Cache.Pool.FreeCount >= 8);
        Assert.Equal(0, tiers.Usage[0].Blocks);
        Assert.Equal(16, Cache.Peek(Root, Path(100, 16)).HotTokenCount);
    }

    [Theory]
    [InlineData(0, 0.5, false)]
    [InlineData(0.01, 1, true)]
    [InlineData(0.5, 0.5, false)]
    [InlineData(0.5, 1.01, false)]
    [InlineData(double.NaN, 0.5, false)]
    public void WatermarksOutOfOrderAreRefused(double low, double high, bool isValid)
    {
        var options = new TieredCacheOptions { Tiers = [Tier("ram", 4)], Watermarks = new Watermarks(low, high) };
        if (isValid)
            options.Validate();
        else
            Assert.Contains("Watermarks", Assert.Throws<ArgumentException>(options.Validate).Message, StringComparison.Ordinal);
    }

    public async ValueTask DisposeAsync()
    {
        if (_tiers is not null)
            await _tiers.DisposeAsync();
    }

    private static async Task Until(Func<bool> condition)
    {
        using var patience = new CancellationTokenSource(HangLimit.Time);
        while (!condition())
            await Task.Delay(5, patience.Token);
    }

    private static int[] Path(int first, int count) => [.. Enumerable.Range(first, count)];

    private static IEnumerable<BlockHash> Chain(int[] tokens, int blocks)
    {
        BlockHash hash = Root;
        for (int i = 0; i < blocks; i++)
            yield return hash = hash.Next(tokens.AsSpan(i * 4, 4));
    }

    private static IEnumerable<BlockHash> Held(TierOptions tier) => ((RamStore)TestTiers.StoreOf(tier)).InEvictionOrder().Select(block => block.Hash);

    private TierOptions Tier(string name, int blocks) => TestTiers.Queued(name, TestTiers.Store(blocks, _time));

    private TieredCache Open(int hot, params TierOptions[] tiers) => Open(null, hot, tiers);

    private TieredCache Open(Watermarks? watermarks, int hot, params TierOptions[] tiers) => _tiers = TestTiers.Open(
        new TieredCacheOptions { Hot = TestTiers.Hot(hot), Tiers = tiers, Watermarks = watermarks, Promotion = PromotionPolicy.Always }, _time);

    private void Compute(int[] tokens)
    {
        using BlockLease lease = Cache.Acquire(Root, tokens);
        Assert.True(Cache.TryReserve(lease, tokens.Length - lease.TokenCount));
        Cache.Append(lease, tokens.AsSpan(lease.TokenCount));
    }
}
