using KvTiers.Blocks;
using KvTiers.Diagnostics;
using KvTiers.Prefix;
using KvTiers.Tiers;
using KvTiers.Tiers.Encodings;

namespace KvTiers.Tests.Tiers;

public sealed class TenantBudgetTests : IAsyncDisposable
{
    private const int HotBytes = 128;
    private const int StoredBytes = 1024;

    private static readonly BlockLayout Layout = new(Layers: 1, KvHeads: 1, HeadDim: 4, BlockSize: 4);
    private static readonly BlockRecord Format = new(BlockCodec.Create(Layout, BlockEncoding.Hot));
    private static readonly BlockHash Ann = BlockHash.Root("model"u8, Layout, "Ann"u8);
    private static readonly BlockHash Ben = BlockHash.Root("model"u8, Layout, "Ben"u8);

    private readonly ManualTime _time = new();
    private TieredCache? _tiers;

    private KvCache Cache => _tiers!.Cache;

    [Theory]
    [InlineData(4 * HotBytes, 16)]
    [InlineData((4 * HotBytes) - 1, 12)]
    [InlineData(3 * HotBytes, 12)]
    [InlineData((3 * HotBytes) - 1, 8)]
    public async Task AtTheBudgetNothingGoesAndAByteBelowItABlock(long budget, int tokensLeft)
    {
        Assert.Equal((HotBytes, StoredBytes), (Layout.BytesPerBlock, Format.RecordBytes));
        Open(hot: 16, budget);
        Compute(Ben, [.. Enumerable.Range(0, 8)]);
        Compute(Ann, [.. Enumerable.Range(0, 16)]);
        await SettleAsync();
        Assert.Equal(tokensLeft, Cache.Peek(Ann, [.. Enumerable.Range(0, 16)]).HotTokenCount);
        Assert.Equal(8, Cache.Peek(Ben, [.. Enumerable.Range(0, 8)]).HotTokenCount);
        Assert.Equal(4 - (tokensLeft / 4), _tiers!.BudgetEvictedBytes / HotBytes);
    }

    [Fact]
    public async Task OverAllTiersTheColdestOfTheTenantsOwnGoFirst()
    {
        Open(hot: 4, (4 * HotBytes) + (2 * StoredBytes), Ram(16));
        Compute(Ben, [1, 2, 3, 4]);
        Compute(Ann, [.. Enumerable.Range(0, 16)]);
        Compute(Ann, [.. Enumerable.Range(100, 16)]);
        await SettleAsync();
        Assert.Equal(4, Cache.BlocksOf(Ann.TenantNumber));
        Assert.Equal(16, Cache.Peek(Ann, [.. Enumerable.Range(100, 16)]).HotTokenCount);
        Assert.Equal(3, _tiers!.Usage[0].Blocks);
        Assert.Equal(8, await FetchAsync(Ann, [.. Enumerable.Range(0, 16)])); // a path loses its end first
        Assert.Equal(4, await FetchAsync(Ben, [1, 2, 3, 4]));
    }

    [Fact]
    public async Task BlocksInUseStayUntilTheyAreReleased()
    {
        Open(hot: 16, 2 * HotBytes);
        int[] tokens = [.. Enumerable.Range(0, 16)];
        using (BlockLease lease = Compute(Ann, tokens, keep: true)!)
        {
            await SettleAsync();
            Assert.Equal(16, Cache.Peek(Ann, tokens).HotTokenCount);
        }

        Compute(Ann, [.. Enumerable.Range(50, 4)]);
        await SettleAsync();
        Assert.Equal(2, Cache.BlocksOf(Ann.TenantNumber));
        Assert.Equal(4, Cache.Peek(Ann, [.. Enumerable.Range(50, 4)]).HotTokenCount);
    }

    [Fact]
    public async Task WhatAnEditCutOffGoesBeforeWhatIsOlder()
    {
        Open(hot: 16, 4 * HotBytes, Ram(16));
        int[] old = [.. Enumerable.Range(0, 8)], cut = [.. Enumerable.Range(20, 8)];
        Compute(Ann, old);
        Compute(Ann, cut);
        Cache.Supersede(Ann, cut, 0);
        Compute(Ann, [.. Enumerable.Range(40, 4)]);
        await SettleAsync();
        Assert.Equal((8, 4, 4), (Cache.Peek(Ann, old).HotTokenCount, Cache.Peek(Ann, cut).HotTokenCount, Cache.Peek(Ann, [.. Enumerable.Range(40, 4)]).HotTokenCount));
    }

    [Fact]
    public void ABudgetIsAtLeastAByte()
    {
        var error = Assert.Throws<ArgumentException>(new TieredCacheOptions { TenantBudgetBytes = 0 }.Validate);
        Assert.Equal("TenantBudgetBytes", error.ParamName);
    }

    public async ValueTask DisposeAsync()
    {
        if (_tiers is null) return;
        CacheIntegrity.Check(Cache);
        await _tiers.DisposeAsync();
    }

    private TierOptions Ram(int blocks) => TestTiers.Ram(blocks, time: _time);

    private void Open(int hot, long budget, params TierOptions[] tiers) => _tiers = TestTiers.Open(
        new TieredCacheOptions { Hot = TestTiers.Hot(hot), Tiers = tiers, TenantBudgetBytes = budget, Promotion = PromotionPolicy.Always }, _time);

    private Task SettleAsync() => _tiers!.DrainAsync(CancellationToken.None);

    private BlockLease? Compute(BlockHash root, int[] tokens, bool keep = false)
    {
        BlockLease lease = Cache.Acquire(root, tokens);
        Assert.True(Cache.TryReserve(lease, tokens.Length - lease.TokenCount));
        Cache.Append(lease, tokens.AsSpan(lease.TokenCount));
        if (keep) return lease;
        lease.Dispose();
        return null;
    }

    private async Task<int> FetchAsync(BlockHash root, int[] tokens)
    {
        using BlockLease lease = Cache.Acquire(root, tokens);
        await _tiers!.PromoteAsync(lease, tokens, CancellationToken.None);
        return lease.TokenCount;
    }
}
