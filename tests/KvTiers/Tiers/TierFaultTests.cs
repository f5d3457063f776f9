using KvTiers.Diagnostics;
using KvTiers.Prefix;
using KvTiers.Tests.Shared;
using KvTiers.Tiers;

namespace KvTiers.Tests.Tiers;

/// <summary>
/// What every lane does over a store that hangs, throws anything or is another's decorated, opened as production opens it, with default settings: whoever
/// needs room hardly waits, once; every fault is counted; and the tier is used again when it is well.
/// </summary>
public sealed class TierFaultTests : IAsyncDisposable
{
    private const int PathBlocks = 8;

    private static readonly BlockHash Root = BlockHash.Root("model"u8, TestTiers.Layout, []);

    private readonly VirtualTime _time = new();
    private TieredCache? _tiers;

    private TieredCache Tiers => _tiers!;

    private KvCache Cache => Tiers.Cache;

    private TierUsage Usage => Tiers.Usage[0];

    /// <summary>With its queue full, a reservation of 8 blocks used to take eight times the queue's patience, two seconds each.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task AHungStoreCostsAReservationItsBudgetOnceAndTheNextNothing(bool holdsThread)
    {
        var store = new HangingStore(TestTiers.Store(4096), holdsThread);
        Open(TierOptions.Over("slow", store) with { InPlace = false });
        store.Hang();
        int path = 0;
        while (Usage.DroppedBlocks == 0 && Usage.QueuedBlocks < 1024)
            Compute(path++);
        Assert.Equal((1024, 0), (Usage.QueuedBlocks, Usage.DroppedBlocks));

        Task reserving = Task.Run(() => Compute(path++));
        await Until(() => _time.Waiting > Writes || reserving.IsCompleted);
        _time.Advance(TimeSpan.FromMilliseconds(19));
        await Task.WhenAny(reserving, Task.Delay(50));
        Assert.False(reserving.IsCompleted);
        _time.Advance(TimeSpan.FromMilliseconds(1));
        await reserving.WaitAsync(HangLimit.Time);
        Assert.True(Usage.IsDegraded);
        Compute(path++); // waits for nothing: the time stands still
        Assert.Equal(2 * PathBlocks, Usage.DroppedBlocks);

        store.BeWell();
        await Tiers.DrainAsync(CancellationToken.None).WaitAsync(HangLimit.Time);
        await UsedAgainAsync(path);
    }

    /// <summary>Reading, asking and writing: none is waited for beyond its deadline, and then the tier is left alone until a probe is answered.</summary>
    [Theory]
    [InlineData(true, false)]
    [InlineData(false, false)]
    [InlineData(false, true)]
    public async Task AHungStoreCostsALoadItsDeadlineOnceAndIsTriedAgain(bool holdsThread, bool inPlace)
    {
        var store = new HangingStore(TestTiers.Store(64), holdsThread);
        Open(TierOptions.Over("slow", store) with { InPlace = inPlace, Exclusive = false });
        Compute(0);
        Compute(1);
        await Tiers.DrainAsync(CancellationToken.None).WaitAsync(HangLimit.Time);
        Assert.Equal(PathBlocks, Usage.Blocks);

        store.Hang();
        Task<int> fetching = Task.Run(() => FetchAsync(0));
        await Until(() => store.Hung == 1 && _time.Waiting > 0);
        Assert.False(fetching.IsCompleted);
        _time.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal(0, await fetching.WaitAsync(HangLimit.Time));
        Assert.True(Usage.IsDegraded);
        Assert.Equal(1, Usage.Misses[TierMiss.Deadline]);
        Assert.Equal(0, await FetchAsync(0)); // not asked
        Assert.Equal(1, store.Hung);
        _time.Advance(TimeSpan.FromSeconds(1));
        await Until(() => store.Hung == 2); // the probe
        CacheIntegrity.Check(Cache);

        store.BeWell();
        await UsedAgainAsync(100);
    }

    /// <summary>Whoever needs room waits for a store in memory, so one that only promises is left alone after its first promise.</summary>
    [Fact]
    public async Task AStoreThatSaysItAnswersAtOnceAndOnlyPromisesIsLeftAlone()
    {
        var store = new HangingStore(TestTiers.Store(256), holdsThread: false);
        Open(TierOptions.Over("ram", store));
        store.Hang();
        Compute(0);
        Compute(1);
        Assert.Equal((1, PathBlocks - 1), (store.Hung, Usage.DroppedBlocks));
        Assert.Equal(1, Usage.Misses[TierMiss.Deadline]);

        store.BeWell();
        await Until(() => Usage.Writes == 1);
        await UsedAgainAsync(100);
    }

    /// <summary>A read that is given up may still write to the blocks it was to fill: they belong to nobody else until it has ended.</summary>
    [Fact]
    public async Task RoomThatALateReadStillWritesToIsGivenToNobody()
    {
        var store = new CountedStore(TestTiers.Store(64));
        Open(TestTiers.Queued("slow", store) with { Exclusive = false });
        Compute(0);
        Compute(1);
        await Tiers.DrainAsync(CancellationToken.None).WaitAsync(HangLimit.Time);
        Cache.Erase(Root, Path(1));
        Assert.Equal(PathBlocks, Cache.Snapshot().FreeBlocks);

        store.Close();
        Task<int> fetching = Task.Run(() => FetchAsync(0));
        await Until(() => store.Reads == PathBlocks && _time.Waiting > 0);
        _time.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal(0, await fetching.WaitAsync(HangLimit.Time));
        Assert.Equal((PathBlocks, 0), (Cache.Snapshot().PendingFreeBlocks, Cache.Snapshot().FreeBlocks));
        CacheIntegrity.Check(Cache);
        using (BlockLease lease = Cache.Acquire(Root, []))
            Assert.False(lease.TryReserve(1));
        Assert.True(Cache.EvictionsAsync().IsCompleted); // nobody erasing waits for them
        store.Open();
        await Until(() => Cache.Snapshot().FreeBlocks == PathBlocks);
        CacheIntegrity.Check(Cache);
    }

    /// <summary>One exception of an unexpected kind used to end the writer for good.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task AStoreThatThrowsAnythingIsCountedAndUsedAgain(bool inPlace)
    {
        var store = new ThrowingStore(TestTiers.Store(256));
        Open(TierOptions.Over("bad", store) with { InPlace = inPlace });
        store.Throws = true;
        for (int path = 0; path < 6; path++)
            Compute(path);
        await Tiers.DrainAsync(CancellationToken.None).WaitAsync(HangLimit.Time);
        Assert.Equal((5 * PathBlocks, 5 * PathBlocks), (store.Thrown, Usage.Misses[TierMiss.WriteError]));
        Assert.Equal(0, await FetchAsync(0));
        (SupersedeResult hot, IReadOnlyList<TierRemoval> removals) =
            await Tiers.SupersedeAsync(new BlockPath(Root, 4, Path(5)), keptTokenCount: 0, null, CancellationToken.None);
        Assert.Equal((PathBlocks, ErasureState.Failed), (hot.SupersededBlocks, removals[0].State));
        Assert.Equal(0, (await Tiers.ClearAsync("bad", CancellationToken.None)).Blocks);
        Assert.Equal(store.Thrown - (5 * PathBlocks), Usage.Misses[TierMiss.OtherError]);
        Assert.Equal(0, Cache.Snapshot().Totals.RecipientFaults);

        store.Throws = false;
        await UsedAgainAsync(100);
    }

    /// <summary>What is around a store of memory changes nothing of what the lane does: in place, and what it evicts is handed on.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task ADecoratedMemoryTierIsTakenInPlaceAndHandsOnWhatItEvicts(bool decorated)
    {
        IRecordStore ram = TestTiers.Store(4);
        Open(TierOptions.Over("ram", decorated ? new ThrowingStore(ram) : ram), TestTiers.Ram(64, "below"));
        Compute(0);
        Compute(1);
        Assert.Equal((4, 4), (Tiers.Usage[0].Blocks, Tiers.Usage[1].Blocks));
        Assert.Equal((0, 0), (Tiers.Usage[0].QueuedBlocks, Tiers.Usage[1].QueuedBlocks));
        await Tiers.FlushAsync(CancellationToken.None);
        Assert.Equal((0, 2 * PathBlocks), (Tiers.Usage[0].Blocks, Tiers.Usage[1].Blocks));
        Assert.Equal(PathBlocks * 4, await FetchAsync(0));
    }

    /// <summary>A tier that does not answer keeps a tombstone, which is tried again until it says that it holds nothing.</summary>
    [Fact]
    public async Task AnErasureThatATierDidNotTakeIsTriedAgainUntilItIsWhole()
    {
        var store = new ThrowingStore(TestTiers.Store(64));
        Open(TierOptions.Over("bad", store) with { InPlace = false });
        Compute(0);
        Compute(1);
        await Tiers.DrainAsync(CancellationToken.None).WaitAsync(HangLimit.Time);
        store.Throws = true;
        TierRemoval removal = Assert.Single(await Tiers.EraseAsync(new BlockPath(Root, 4, Path(0)), 0, null, CancellationToken.None));
        Assert.Equal((0, ErasureState.Failed), (removal.Blocks, removal.State));
        Tombstone tombstone = Assert.Single(Tiers.Tombstones);
        Assert.Equal(["bad"], tombstone.Tiers);
        Task whole = Tiers.ErasedAsync(CancellationToken.None);
        _time.Advance(TimeSpan.FromSeconds(1));
        await Until(() => Usage.Misses[TierMiss.OtherError] == 2);
        Assert.False(whole.IsCompleted);

        store.Throws = false;
        await Until(() =>
        {
            _time.Advance(TimeSpan.FromSeconds(1));
            return whole.IsCompleted;
        });
        Assert.Equal(0, Usage.Blocks);
        Assert.Empty(Tiers.Tombstones);
    }

    /// <summary>Whoever keeps a tombstone of its own asks again and again, and is told each time; the cache keeps one for it, until its tiers hold nothing.</summary>
    [Fact]
    public async Task AnErasureThatIsTakenUpAgainLeavesOneTombstoneAndSaysHowFarItIs()
    {
        var store = new ThrowingStore(TestTiers.Store(64));
        Open(TierOptions.Over("bad", store) with { InPlace = false });
        Compute(0);
        Compute(1);
        await Tiers.DrainAsync(CancellationToken.None).WaitAsync(HangLimit.Time);
        store.Throws = true;
        Tombstone tombstone = Tiers.TombstoneOf(new BlockPath(Root, 4, Path(0)), 0);
        await Tiers.EraseAsync(new BlockPath(Root, 4, Path(0)), 1, null, CancellationToken.None);
        for (int attempt = 0; attempt < 3; attempt++)
        {
            Assert.Equal(ErasureState.Failed, Assert.Single(await Tiers.ResumeAsync(tombstone)).State);
            Assert.Equal(tombstone.Blocks, Assert.Single(Tiers.Tombstones).Blocks);
        }

        store.Throws = false;
        Task whole = Tiers.ErasedAsync(CancellationToken.None);
        TierRemoval removal = Assert.Single(await Tiers.ResumeAsync(tombstone));
        Assert.Equal((PathBlocks, ErasureState.Removed), (removal.Blocks, removal.State));
        Assert.Empty(Tiers.Tombstones);
        await whole.WaitAsync(HangLimit.Time);
    }

    /// <summary>An exchange that finds no room puts the blocks back as they were. Their rank and their time to live used to be lost.</summary>
    [Fact]
    public async Task AnExchangeThatFailsLeavesRankAndTimeToLive()
    {
        RamStore ram = TestTiers.Store(64);
        var store = new HookedStore(ram);
        Open(TierOptions.Over("ram", store));
        Compute(0);
        Cache.SetPriority(Root, Path(0), 7);
        Cache.SetTimeToLive(Root, Path(0), TimeSpan.FromHours(1));
        Compute(1);
        BlockAttributes expected = ram.InEvictionOrder()[0].Attributes;
        Assert.Equal((7, _time.GetUtcNow() + TimeSpan.FromHours(1)), (expected.Priority, expected.Expires));

        // All that could make room is taken just when the blocks have been read.
        BlockLease? taken = null;
        store.Forgetting = () => taken ??= Cache.Acquire(Root, Path(1));
        using (BlockLease lease = Cache.Acquire(Root, Path(0)))
        {
            PromotionResult result = await Tiers.PromoteAsync(lease, Path(0), CancellationToken.None);
            Assert.Equal((0, true), (result.TokenCount, result.LackedRoom));
        }

        taken!.Dispose();
        Assert.Equal(PathBlocks, ram.Count);
        Assert.All(ram.InEvictionOrder(), block => Assert.Equal(expected, block.Attributes));
    }

    /// <summary>What was written down before an erasure is taken up by a process that knows nothing else of it.</summary>
    [Fact]
    public async Task ATombstoneOfAnEarlierProcessIsTakenUp()
    {
        Open(TestTiers.Queued("slow", TestTiers.Store(64)));
        Compute(0);
        Compute(1);
        await Tiers.DrainAsync(CancellationToken.None).WaitAsync(HangLimit.Time);
        Tombstone tombstone = Tiers.TombstoneOf(new BlockPath(Root, 4, Path(0)), keptBlocks: 2);
        await Tiers.ResumeAsync(tombstone with { Tiers = ["slow", "gone"] });
        Assert.Equal(2, Usage.Blocks);
        Assert.Empty(Tiers.Tombstones);
    }

    public async ValueTask DisposeAsync()
    {
        if (_tiers is not null)
            await _tiers.DisposeAsync().AsTask().WaitAsync(HangLimit.Time);
    }

    // Writes under way, each with its deadline.
    private int Writes => new TierOptions { Name = "default", Open = null! }.WriteConcurrency;

    private static int[] Path(int number) => [.. Enumerable.Range(number * 1000, PathBlocks * 4)];

    private static async Task Until(Func<bool> condition)
    {
        using var patience = new CancellationTokenSource(HangLimit.Time);
        while (!condition())
            await Task.Delay(5, patience.Token);
    }

    private void Open(params TierOptions[] tiers) =>
        _tiers = TestTiers.Open(new TieredCacheOptions { Hot = TestTiers.Hot(PathBlocks), Tiers = tiers, Promotion = PromotionPolicy.Always }, _time);

    /// <summary>The hot tier holds one path.</summary>
    private void Compute(int path)
    {
        int[] tokens = Path(path);
        using BlockLease lease = Cache.Acquire(Root, tokens);
        Assert.True(lease.TryReserve(tokens.Length - lease.TokenCount));
        lease.Append(tokens.AsSpan(lease.TokenCount));
    }

    private async Task<int> FetchAsync(int path)
    {
        using BlockLease lease = Cache.Acquire(Root, Path(path));
        return (await Tiers.PromoteAsync(lease, Path(path), CancellationToken.None)).TokenCount;
    }

    private async Task UsedAgainAsync(int path)
    {
        await Until(() =>
        {
            _time.Advance(TimeSpan.FromSeconds(1));
            return !Usage.IsDegraded;
        });
        long writes = Usage.Writes;
        Compute(path);
        Compute(path + 1);
        await Tiers.DrainAsync(CancellationToken.None).WaitAsync(HangLimit.Time);
        Assert.InRange(Usage.Writes, writes + PathBlocks, writes + (2 * PathBlocks));
        Assert.Equal(PathBlocks * 4, await FetchAsync(path).WaitAsync(HangLimit.Time));
        CacheIntegrity.Check(Cache);
    }

    private sealed class HookedStore(IRecordStore inner) : WrappedStore(inner)
    {
        public Action? Forgetting { get; set; }

        public override ValueTask<int> ForgetAsync(ReadOnlyMemory<BlockHash> hashes, CancellationToken cancellationToken)
        {
            Forgetting?.Invoke();
            return base.ForgetAsync(hashes, cancellationToken);
        }
    }
}
