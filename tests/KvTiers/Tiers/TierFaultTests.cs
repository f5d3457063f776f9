using KvTiers.Blocks;
using KvTiers.Diagnostics;
using KvTiers.Prefix;
using KvTiers.Tiers;
using KvTiers.Tiers.Encodings;

namespace KvTiers.Tests.Tiers;

/// <summary>A store that hangs or throws anything, below a cache with default settings: whoever needs room hardly waits, once, and the tier is used again when it is well.</summary>
public sealed class TierFaultTests : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    // What a waiting thread gets to see that it must not go on.
    private static readonly TimeSpan Glance = TimeSpan.FromSeconds(1);
    private static readonly BlockLayout Layout = new(Layers: 1, KvHeads: 1, HeadDim: 4, BlockSize: 4);
    private static readonly BlockRecord Format = new(BlockCodec.Create(Layout, BlockEncoding.Hot));
    private static readonly BlockHash Root = BlockHash.Root("model"u8, Layout, []);

    private readonly VirtualTime _time = new();
    private readonly ManualTime _clock = new();
    private TierStack? _stack;
    private KvCache? _cache;

    private KvCache Cache => _cache!;

    private TierStack Stack => _stack!;

    /// <summary>With its queue full, 6 blocks used to take six times the queue's patience.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task AHungStoreCostsAReservationItsBudgetOnceAndTheNextNothing(bool holdsThread)
    {
        var store = new HangingStore(Ram(256), holdsThread);
        Open(hot: 8, store);
        store.Hang();
        int queue = new TierOptions { Tier = _opened! }.WriteQueueBlocks;
        for (int path = 0; path * 8 < queue; path++)
            Compute(path);
        Assert.Equal(queue, Stack.Usage[0].QueuedBlocks + 8);
        Compute(1000); // the queue is full, and the hot tier too

        Task reserving = Task.Run(() => Compute(1001));
        await Until(() => _time.Waiting > 0 || reserving.IsCompleted);
        Assert.False(reserving.IsCompleted);
        _time.Advance(TimeSpan.FromMilliseconds(19));
        await Task.WhenAny(reserving, Task.Delay(50));
        Assert.False(reserving.IsCompleted);
        _time.Advance(TimeSpan.FromMilliseconds(1));
        await reserving.WaitAsync(Glance);
        Assert.True(Stack.Usage[0].IsDegraded);

        await Task.Run(() => Compute(1002)).WaitAsync(Glance);
        Assert.Equal(16, Stack.Usage[0].DroppedBlocks);

        store.BeWell();
        await Stack.DrainAsync(CancellationToken.None).WaitAsync(Patience);
        await Until(() => !Stack.Usage[0].IsDegraded);
        long writes = Stack.Usage[0].Writes;
        Compute(1003);
        await Stack.DrainAsync(CancellationToken.None).WaitAsync(Patience);
        Assert.Equal(writes + 8, Stack.Usage[0].Writes);
        CacheIntegrity.Check(Cache);
    }

    /// <summary>One exception of an unexpected kind used to end the writer for good.</summary>
    [Fact]
    public async Task AStoreThatThrowsAnythingIsCountedAndUsedAgain()
    {
        var store = new ThrowingStore(Ram(256));
        Open(hot: 8, store);
        store.Throws = true;
        for (int path = 0; path < 6; path++)
            Compute(path);
        await Stack.DrainAsync(CancellationToken.None).WaitAsync(Patience);
        Assert.Equal((40, 40), (store.Thrown, Stack.Usage[0].Misses[TierMiss.WriteError]));
        Assert.Equal(0, await FetchAsync(0));
        SupersedeResult hot = (await Stack.SupersedeAsync(Root, Path(5), keptTokenCount: 0, null, CancellationToken.None)).Hot;
        Assert.Equal(8, hot.SupersededBlocks);
        Assert.True(Stack.Usage[0].Misses[TierMiss.OtherError] > 0);

        store.Throws = false;
        Compute(6);
        Compute(7);
        await Stack.DrainAsync(CancellationToken.None).WaitAsync(Patience);
        Assert.Equal(8, Stack.Usage[0].Blocks);
        Assert.Equal(32, await FetchAsync(6));
    }

    public async ValueTask DisposeAsync()
    {
        if (_stack is not null)
            await _stack.DisposeAsync().AsTask().WaitAsync(Patience);
        _cache?.Dispose();
    }

    private static int[] Path(int number) => [.. Enumerable.Range(number * 1000, 32)];

    private static async Task Until(Func<bool> condition)
    {
        using var patience = new CancellationTokenSource(Patience);
        while (!condition())
            await Task.Delay(5, patience.Token);
    }

    private RamStore Ram(int blocks) => new(Format.RecordBytes, (long)blocks * Format.RecordBytes, _clock);

    private IBlockTier? _opened;

    private void Open(int hot, IRecordStore store)
    {
        _opened = new BlockTier("slow", Format, store, _time);
        _stack = new TierStack(new TierStackOptions { Tiers = [new TierOptions { Tier = _opened }], Promotion = PromotionPolicy.Always }, _time);
        _cache = new KvCache(Layout, new KvCacheOptions { HotBlocks = hot, Prefault = false }, _clock, _stack);
        _stack.Attach(_cache);
    }

    private void Compute(int path)
    {
        int[] tokens = Path(path);
        using BlockLease lease = Cache.Acquire(Root, tokens);
        Assert.True(Cache.TryReserve(lease, tokens.Length - lease.TokenCount));
        Cache.Append(lease, tokens.AsSpan(lease.TokenCount));
    }

    private async Task<int> FetchAsync(int path)
    {
        using BlockLease lease = Cache.Acquire(Root, Path(path));
        return (await Stack.PromoteAsync(lease, Path(path), CancellationToken.None).AsTask().WaitAsync(Patience)).TokenCount;
    }
}
