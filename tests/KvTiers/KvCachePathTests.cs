using KvTiers.Diagnostics;
using KvTiers.Prefix;

namespace KvTiers.Tests;

/// <summary>Supersession, erasure, pins, priorities and times to live, on blocks of 4 tokens.</summary>
public sealed class KvCachePathTests
{
    private static readonly int[] LongPath = [1, 1, 1, 1, 2, 2, 2, 2, 3, 3];

    private static BlockHash Root => FakeSequence.Root;

    [Fact]
    public void WhatAnEditCutIsTheFirstToGo()
    {
        using KvCache cache = FakeSequence.CreateCache(5);
        cache.Run(9, 9, 9, 9).Dispose();
        cache.Run(LongPath).Dispose();
        Assert.Equal(new SupersedeResult(2, 0), cache.Supersede(Root, LongPath, keptTokenCount: 5));
        Assert.Equal(2, cache.Snapshot().SupersededBlocks);

        using BlockLease lease = cache.Acquire(Root, []);
        Assert.True(cache.TryReserve(lease, 12));
        Assert.Equal([4, 3, 2], lease.Table.Slots.ToArray());
        Assert.Equal(2, cache.Snapshot().Totals.EvictedSupersededBlocks);
        Assert.Equal(4, cache.Peek(Root, LongPath).HotTokenCount);
        Assert.Equal(4, cache.Peek(Root, [9, 9, 9, 9]).HotTokenCount);
    }

    [Fact]
    public void AnUndoFindsEverythingAndClearsTheMark()
    {
        using KvCache cache = FakeSequence.CreateCache(8);
        cache.Run(LongPath).Dispose();
        cache.Supersede(Root, LongPath, keptTokenCount: 0);
        Assert.Equal(3, cache.Snapshot().SupersededBlocks);
        using BlockLease lease = cache.Acquire(Root, LongPath);
        Assert.Equal(10, lease.CachedTokenCount);
        Assert.Equal(0, cache.Snapshot().SupersededBlocks);
        CacheIntegrity.Check(cache);
    }

    [Fact]
    public void ASupersededBlockThatMatchesInPartIsCopiedAndKeepsTheMark()
    {
        using KvCache cache = FakeSequence.CreateCache(8);
        cache.Run(LongPath).Dispose();
        cache.Supersede(Root, LongPath, keptTokenCount: 6);
        using BlockLease lease = cache.Acquire(Root, [1, 1, 1, 1, 2, 2, 70]);
        Assert.Equal(6, lease.CachedTokenCount);
        cache.Compute(lease, 70);
        Assert.True(FakeSequence.HasRightBytes(cache, lease));
        Assert.Equal(2, cache.Snapshot().SupersededBlocks);
        CacheIntegrity.Check(cache);
    }

    [Fact]
    public void WhatALeaseOrAnotherBranchUsesIsNotSuperseded()
    {
        using KvCache cache = FakeSequence.CreateCache(8);
        cache.Run(LongPath).Dispose();
        cache.Run([1, 1, 1, 1, 2, 2, 2, 2, 7]).Dispose();
        Assert.Equal(new SupersedeResult(1, 2), cache.Supersede(Root, LongPath, keptTokenCount: 0));
        using BlockLease lease = cache.Acquire(Root, [1, 1, 1, 1, 2, 2, 2, 2, 7]);
        Assert.Equal(new SupersedeResult(0, 3), cache.Supersede(Root, [1, 1, 1, 1, 2, 2, 2, 2, 7], keptTokenCount: 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => cache.Supersede(Root, [1], keptTokenCount: 2));
        CacheIntegrity.Check(cache);
    }

    [Fact]
    public void ErasingFreesWhatOnlyThisPathUses()
    {
        using KvCache cache = FakeSequence.CreateCache(8);
        cache.Run(LongPath).Dispose();
        cache.Run(1, 1, 1, 1, 5, 5, 5, 5).Dispose();
        long blockBytes = FakeSequence.Layout.BytesPerBlock;
        Assert.Equal(new EraseResult(2, 2 * blockBytes, SharedBlocks: 1), cache.Erase(Root, LongPath));
        Assert.Equal(4, cache.Peek(Root, LongPath).HotTokenCount);
        Assert.Equal(8, cache.Peek(Root, [1, 1, 1, 1, 5, 5, 5, 5]).HotTokenCount);
        Assert.Equal([4, 5, 6, 7, 2, 1], cache.Pool.FreeSlots());
        Assert.Equal(new EraseResult(2, 2 * blockBytes, SharedBlocks: 0), cache.Erase(Root, [1, 1, 1, 1, 5, 5, 5, 5]));
        Assert.Equal(0, cache.Snapshot().Roots);
        Assert.Equal(default, cache.Erase(Root, LongPath));
        CacheIntegrity.Check(cache);
    }

    [Fact]
    public void ALeasedPathIsNotErased()
    {
        using KvCache cache = FakeSequence.CreateCache(8);
        using BlockLease lease = cache.Run(LongPath);
        Assert.Equal(new EraseResult(0, 0, SharedBlocks: 3), cache.Erase(Root, LongPath));
    }

    [Fact]
    public void APinBarsEvictionUntilItIsDisposed()
    {
        using KvCache cache = FakeSequence.CreateCache(3);
        cache.Run(LongPath).Dispose();
        Pin pin = cache.Pin(Root, LongPath);
        Assert.Equal(10, pin.TokenCount);
        using BlockLease lease = cache.Acquire(Root, []);
        Assert.False(cache.TryReserve(lease, 1));
        pin.Dispose();
        pin.Dispose();
        Assert.False(pin.IsActive);
        Assert.True(cache.TryReserve(lease, 1));
        CacheIntegrity.Check(cache);
    }

    [Fact]
    public void APinLapsesByItself()
    {
        ManualTime time = new();
        using KvCache cache = FakeSequence.CreateCache(3, time);
        cache.Run(LongPath).Dispose();
        Pin pin = cache.Pin(Root, LongPath, time.GetUtcNow() + TimeSpan.FromMinutes(5));
        using BlockLease lease = cache.Acquire(Root, []);
        time.Advance(TimeSpan.FromMinutes(5) - TimeSpan.FromTicks(1));
        Assert.False(cache.TryReserve(lease, 1));
        Assert.Equal(1, cache.Snapshot().Pins);
        time.Advance(TimeSpan.FromTicks(1));
        Assert.True(cache.TryReserve(lease, 1));
        Assert.False(pin.IsActive);
        Assert.Equal(0, cache.Snapshot().Pins);
    }

    [Fact]
    public void ARenewedPinLapsesAtItsNewTimeAlone()
    {
        ManualTime time = new();
        using KvCache cache = FakeSequence.CreateCache(3, time);
        cache.Run(LongPath).Dispose();
        DateTimeOffset start = time.GetUtcNow();
        Pin pin = cache.Pin(Root, LongPath, start + TimeSpan.FromMinutes(5));
        using BlockLease lease = cache.Acquire(Root, []);
        Assert.True(pin.TryRenew(start + TimeSpan.FromMinutes(8)));
        time.Advance(TimeSpan.FromMinutes(8) - TimeSpan.FromTicks(1));
        Assert.False(cache.TryReserve(lease, 1));
        Assert.True(pin.TryRenew(null));
        time.Advance(TimeSpan.FromDays(1));
        Assert.False(cache.TryReserve(lease, 1));
        Assert.True(pin.TryRenew(time.GetUtcNow() + TimeSpan.FromMinutes(1)));
        time.Advance(TimeSpan.FromMinutes(1));
        Assert.False(pin.TryRenew(time.GetUtcNow() + TimeSpan.FromMinutes(1)));
        Assert.True(cache.TryReserve(lease, 1));
        Assert.Equal(0, cache.Snapshot().Pins);
        CacheIntegrity.Check(cache);
    }

    [Fact]
    public void OfTwoLiveBlocksTheOneOfLowerPriorityGoesFirst()
    {
        using KvCache cache = FakeSequence.CreateCache(3);
        cache.Run(1, 1, 1, 1).Dispose();
        cache.Run(2, 2, 2, 2).Dispose();
        cache.Run(3, 3, 3, 3).Dispose();
        Assert.Equal(1, cache.SetPriority(Root, [1, 1, 1, 1], 1));
        Assert.Equal(1, cache.SetPriority(Root, [3, 3, 3, 3], -1));
        using BlockLease lease = cache.Acquire(Root, []);
        Assert.True(cache.TryReserve(lease, 12));
        Assert.Equal([2, 1, 0], lease.Table.Slots.ToArray());
    }

    [Fact]
    public void ABlockNeverRanksBelowOneThatContinuesIt()
    {
        using KvCache cache = FakeSequence.CreateCache(4);
        cache.Run(1, 1, 1, 1, 2, 2, 2, 2).Dispose();
        cache.Run(9, 9, 9, 9).Dispose();
        cache.SetPriority(Root, [1, 1, 1, 1, 2, 2, 2, 2], 1);
        cache.SetPriority(Root, [1, 1, 1, 1], -1);
        using BlockLease lease = cache.Acquire(Root, []);
        Assert.True(cache.TryReserve(lease, 16));
        Assert.Equal([3, 2, 1, 0], lease.Table.Slots.ToArray());
    }

    [Fact]
    public void ExpiredBlocksGoBeforeLiveOnesAndUseRenewsThem()
    {
        ManualTime time = new();
        using KvCache cache = FakeSequence.CreateCache(2, time);
        cache.Run(2, 2, 2, 2).Dispose();
        cache.Run(1, 1, 1, 1).Dispose();
        Assert.Equal(1, cache.SetTimeToLive(Root, [1, 1, 1, 1], TimeSpan.FromMinutes(1)));
        time.Advance(TimeSpan.FromSeconds(40));
        cache.Acquire(Root, [1, 1, 1, 1]).Dispose();
        time.Advance(TimeSpan.FromSeconds(59));
        cache.Run(3, 3, 3, 3).Dispose();
        Assert.Equal(0, cache.Peek(Root, [2, 2, 2, 2]).HotTokenCount);
        time.Advance(TimeSpan.FromSeconds(1));
        cache.Run(4, 4, 4, 4).Dispose();
        Assert.Equal(0, cache.Peek(Root, [1, 1, 1, 1]).HotTokenCount);
        Assert.Equal(4, cache.Peek(Root, [3, 3, 3, 3]).HotTokenCount);
        Assert.Equal(1, cache.Snapshot().Totals.EvictedExpiredBlocks);
        Assert.Throws<ArgumentOutOfRangeException>(() => cache.SetTimeToLive(Root, [3], TimeSpan.FromTicks(-1)));
    }

    [Fact]
    public void ATimeToLiveCanBeTakenBack()
    {
        ManualTime time = new();
        using KvCache cache = FakeSequence.CreateCache(2, time);
        cache.Run(1, 1, 1, 1).Dispose();
        cache.SetTimeToLive(Root, [1, 1, 1, 1], TimeSpan.Zero);
        cache.SetTimeToLive(Root, [1, 1, 1, 1], null);
        cache.Run(2, 2, 2, 2).Dispose();
        cache.Run(3, 3, 3, 3).Dispose();
        Assert.Equal(0, cache.Snapshot().Totals.EvictedExpiredBlocks);
        Assert.Equal(1, cache.Snapshot().Totals.EvictedLiveBlocks);
    }
}
