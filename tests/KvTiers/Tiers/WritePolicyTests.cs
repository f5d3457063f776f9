using KvTiers.Blocks;
using KvTiers.Prefix;
using KvTiers.Tests.Shared;
using KvTiers.Tiers;
using KvTiers.Tiers.Encodings;

namespace KvTiers.Tests.Tiers;

/// <summary>When a tier gets its copy of a block, and how far ahead of need the hot tier gives room.</summary>
public sealed class WritePolicyTests : IAsyncDisposable
{
    private static readonly BlockLayout Layout = new(Layers: 1, KvHeads: 1, HeadDim: 4, BlockSize: 4);
    private static readonly BlockRecord Format = new(BlockCodec.Create(Layout, BlockEncoding.Hot));
    private static readonly BlockHash Root = BlockHash.Root("model"u8, Layout, []);

    private readonly ManualTime _time = new();
    private readonly List<IAsyncDisposable> _open = [];
    private KvCache? _cache;

    private KvCache Cache => _cache!;

    [Fact]
    public async Task ASecondUseTierGetsWhatIsFoundAgainAndNothingElse()
    {
        TierOptions slow = Tier("slow", 64) with { WritePolicy = WritePolicy.OnSecondUse };
        TierStack stack = Open(hot: 64, slow);
        int[] twice = Path(0, 18), once = Path(100, 18);
        Compute(twice);
        Compute(once);
        await stack.DrainAsync(CancellationToken.None);
        Assert.Equal(0, stack.Usage[0].Blocks);

        Compute([.. twice, .. Path(200, 8)]);
        await stack.DrainAsync(CancellationToken.None);
        Assert.Equal(Chain(twice, 4), Held(slow));

        Compute([.. twice, .. Path(300, 8)]);
        await stack.DrainAsync(CancellationToken.None);
        Assert.Equal((4, 4L), (stack.Usage[0].Blocks, stack.Usage[0].Writes));
    }

    [Fact]
    public async Task ABlockThatComesBackIsNotWrittenAgain()
    {
        TierOptions slow = Tier("slow", 64) with { WritePolicy = WritePolicy.OnSecondUse, Exclusive = false };
        TierStack stack = Open(hot: 4, slow);
        int[] path = Path(0, 16);
        Compute(path);
        Compute(path);
        await stack.DrainAsync(CancellationToken.None);
        Compute(Path(100, 16)); // evicts the path
        using (BlockLease lease = Cache.Acquire(Root, path))
        {
            Assert.Equal(4, (await stack.PromoteAsync(lease, path, CancellationToken.None)).LoadedBlocks);
        }

        Compute(path);
        await stack.DrainAsync(CancellationToken.None);
        Assert.Equal(4, stack.Usage[0].Writes);
    }

    [Fact]
    public async Task WhatAFullQueueDidNotTakeIsToldAgain()
    {
        var gate = new GatedTier(Tier("slow", 64).Tier);
        TierStack stack = Open(hot: 64, new TierOptions { Tier = gate, WritePolicy = WritePolicy.OnSecondUse, WriteQueueBlocks = 2, WriteConcurrency = 1 });
        int[] path = Path(0, 16);
        Compute(path);
        gate.Close();
        Compute(path); // two blocks find room in the queue
        gate.Open();
        await stack.DrainAsync(CancellationToken.None);
        Assert.Equal(2, stack.Usage[0].Blocks);
        Compute(path);
        await stack.DrainAsync(CancellationToken.None);
        Assert.Equal(4, stack.Usage[0].Blocks);
    }

    [Fact]
    public async Task BelowTheLowWatermarkBlocksGoDownUntilTheHighOne()
    {
        TierStack stack = Open(new Watermarks(0.25, 0.5), hot: 16, Tier("ram", 64) with { Immediate = true });
        Compute(Path(0, 48)); // 12 blocks: 4 free, which is not below a quarter
        Assert.Equal((4, 0), (Cache.Pool.FreeCount, stack.Usage[0].Blocks));
        Compute(Path(100, 4)); // 3 free
        await Until(() => Cache.Pool.FreeCount == 8);
        Assert.Equal(5, stack.Usage[0].Blocks);
        Assert.Equal(0, Cache.Peek(Root, Path(0, 48)[..48]).HotTokenCount % 4);
        using BlockLease lease = Cache.Acquire(Root, Path(0, 48));
        Assert.Equal(28, lease.TokenCount); // the oldest path lost its five last blocks
        Assert.Equal(5, (await stack.PromoteAsync(lease, Path(0, 48), CancellationToken.None)).LoadedBlocks);
    }

    [Fact]
    public async Task AheadOfNeedSupersededBlocksGoFirstAndNowhere()
    {
        TierStack stack = Open(new Watermarks(0.25, 0.5), hot: 16, Tier("ram", 64) with { Immediate = true });
        Compute(Path(100, 16));
        Compute(Path(0, 32));
        await stack.SupersedeAsync(Root, Path(0, 32), keptTokenCount: 0, null, CancellationToken.None);
        Compute(Path(200, 4)); // 13 blocks in use
        await Until(() => Cache.Pool.FreeCount >= 8);
        Assert.Equal(0, stack.Usage[0].Blocks);
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
        var options = new TierStackOptions { Tiers = [Tier("ram", 4)], Watermarks = new Watermarks(low, high) };
        if (isValid)
        {
            options.Validate();
        }
        else
        {
            Assert.Contains("Watermarks", Assert.Throws<ArgumentException>(options.Validate).Message, StringComparison.Ordinal);
        }
    }

    public async ValueTask DisposeAsync()
    {
        _cache?.Dispose();
        foreach (IAsyncDisposable one in _open)
        {
            await one.DisposeAsync();
        }
    }

    private static async Task Until(Func<bool> condition)
    {
        using var patience = new CancellationTokenSource(HangLimit.Time);
        while (!condition())
        {
            await Task.Delay(5, patience.Token);
        }
    }

    private static int[] Path(int first, int count) => [.. Enumerable.Range(first, count)];

    private static IEnumerable<BlockHash> Chain(int[] tokens, int blocks)
    {
        BlockHash hash = Root;
        for (int i = 0; i < blocks; i++)
        {
            yield return hash = hash.Next(tokens.AsSpan(i * 4, 4));
        }
    }

    private static IEnumerable<BlockHash> Held(TierOptions tier) => ((RamStore)((BlockTier)tier.Tier).Store).InEvictionOrder().Select(block => block.Hash);

    private TierOptions Tier(string name, int blocks) => new()
    {
        Tier = new BlockTier(name, Format, new RamStore(Format.RecordBytes, (long)blocks * Format.RecordBytes, _time)),
        WriteConcurrency = 1,
    };

    private TierStack Open(int hot, params TierOptions[] tiers) => Open(null, hot, tiers);

    private TierStack Open(Watermarks? watermarks, int hot, params TierOptions[] tiers)
    {
        var stack = new TierStack(new TierStackOptions { Tiers = tiers, Watermarks = watermarks, Promotion = PromotionPolicy.Always }, _time);
        _open.Add(stack);
        _cache = new KvCache(Layout, new KvCacheOptions { HotBlocks = hot, Prefault = false }, _time, stack);
        stack.Attach(_cache);
        return stack;
    }

    private void Compute(int[] tokens)
    {
        using BlockLease lease = Cache.Acquire(Root, tokens);
        Assert.True(Cache.TryReserve(lease, tokens.Length - lease.TokenCount));
        Cache.Append(lease, tokens.AsSpan(lease.TokenCount));
    }
}
