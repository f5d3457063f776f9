using KvTiers.Blocks;
using KvTiers.Diagnostics;
using KvTiers.Prefix;

namespace KvTiers.Tests;

/// <summary>Blocks of 4 tokens; slots are taken in order 0, 1, 2 … and freed to the end of the queue.</summary>
public sealed class KvCacheTests
{
    private static BlockHash Root => FakeSequence.Root;

    [Fact]
    public void AnEmptyCacheFindsNothing()
    {
        using KvCache cache = FakeSequence.CreateCache(8);
        using BlockLease lease = cache.Acquire(Root, [1, 2, 3, 4, 5]);
        Assert.Equal(0, lease.TokenCount);
        Assert.Equal(0, lease.CachedTokenCount);
        Assert.Equal(0, lease.Table.Count);
        Assert.Equal(new PrefixMatch(0, 0, Root), cache.Peek(Root, [1, 2, 3, 4, 5]));
    }

    [Fact]
    public void AFullBlockIsSharedAsSoonAsItIsWritten()
    {
        using KvCache cache = FakeSequence.CreateCache(8);
        using BlockLease first = cache.Acquire(Root, []);
        cache.Compute(first, 1, 2, 3, 4, 5);
        using BlockLease second = cache.Acquire(Root, [1, 2, 3, 4, 5, 6]);
        Assert.Equal(4, second.CachedTokenCount);
        Assert.Equal([0], second.Table.Slots.ToArray());
        Assert.Equal([0, 1], first.Table.Slots.ToArray());
        CacheIntegrity.Check(cache);
    }

    [Fact]
    public void ThePartialLastBlockIsFoundOncePublished()
    {
        using KvCache cache = FakeSequence.CreateCache(8);
        using BlockLease first = cache.Acquire(Root, []);
        cache.Compute(first, 1, 2, 3, 4, 5, 6);
        Assert.Equal(4, cache.Peek(Root, [1, 2, 3, 4, 5, 6, 7]).HotTokenCount);
        cache.Publish(first);
        Assert.Equal(new PrefixMatch(6, 1, Root.Next([1, 2, 3, 4])), cache.Peek(Root, [1, 2, 3, 4, 5, 6, 7]));
    }

    [Fact]
    public void AMatchStopsAtTheFirstDifferingTokenAndWritingOnCopiesTheSharedBlock()
    {
        using KvCache cache = FakeSequence.CreateCache(8);
        cache.Run(1, 2, 3, 4, 5, 6, 7, 8).Dispose();
        using BlockLease lease = cache.Acquire(Root, [1, 2, 3, 4, 5, 6, 70, 80]);
        Assert.Equal(6, lease.CachedTokenCount);
        Assert.Equal([0, 1], lease.Table.Slots.ToArray());

        cache.Compute(lease, 70, 80);
        Assert.Equal([0, 2], lease.Table.Slots.ToArray());
        Assert.True(FakeSequence.HasRightBytes(cache, lease));
        Assert.Equal(8, cache.Peek(Root, [1, 2, 3, 4, 5, 6, 7, 8]).HotTokenCount);
        Assert.Equal(8, cache.Peek(Root, [1, 2, 3, 4, 5, 6, 70, 80]).HotTokenCount);
        Assert.Equal(1, cache.Snapshot().Totals.CopiedBlocks);
        CacheIntegrity.Check(cache);
    }

    [Fact]
    public void TheSecondTurnComputesOnlyItsNewTokens()
    {
        using KvCache cache = FakeSequence.CreateCache(8);
        cache.Run(1, 2, 3, 4, 5, 6).Dispose();
        using BlockLease lease = cache.Acquire(Root, [1, 2, 3, 4, 5, 6, 7, 8, 9]);
        Assert.Equal(6, lease.CachedTokenCount);
        cache.Compute(lease, 7, 8, 9);
        Assert.True(FakeSequence.HasRightBytes(cache, lease));

        // The published end is contained in the block that is full now, and was dropped.
        Assert.Equal(2, cache.Snapshot().HeldBlocks);
        Assert.Equal(0, cache.Snapshot().EvictableBlocks);
        CacheIntegrity.Check(cache);
    }

    [Fact]
    public void NamespacesShareNothing()
    {
        using KvCache cache = FakeSequence.CreateCache(8);
        cache.Run(1, 2, 3, 4).Dispose();
        BlockHash other = BlockHash.Root("model"u8, FakeSequence.Layout, "another tenant"u8);
        Assert.Equal(0, cache.Peek(other, [1, 2, 3, 4]).HotTokenCount);
        using BlockLease lease = cache.Acquire(other, [1, 2, 3, 4]);
        cache.Compute(lease, 1, 2, 3, 4);
        Assert.Equal([1], lease.Table.Slots.ToArray());
    }

    [Fact]
    public void AnIdenticalBlockIsHeldOnce()
    {
        using KvCache cache = FakeSequence.CreateCache(8);
        using BlockLease first = cache.Acquire(Root, [1, 2, 3, 4]);
        using BlockLease second = cache.Acquire(Root, [1, 2, 3, 4]);
        cache.Compute(first, 1, 2, 3, 4);
        cache.Compute(second, 1, 2, 3, 4, 5);
        Assert.Equal([0], first.Table.Slots.ToArray());
        Assert.Equal([0, 2], second.Table.Slots.ToArray());
        Assert.Equal([3, 4, 5, 6, 7, 1], cache.Pool.FreeSlots());
        Assert.Equal(1, cache.Snapshot().Totals.DuplicateBlocks);
        CacheIntegrity.Check(cache);
    }

    [Fact]
    public void EvictionTakesTheLeastRecentlyUsedPathFromItsEnd()
    {
        using KvCache cache = FakeSequence.CreateCache(4);
        cache.Run(1, 1, 1, 1, 2, 2, 2, 2).Dispose();
        cache.Run(3, 3, 3, 3, 4, 4, 4, 4).Dispose();
        cache.Acquire(Root, [1, 1, 1, 1, 2, 2, 2, 2]).Dispose();
        using BlockLease lease = cache.Acquire(Root, []);
        Assert.True(cache.TryReserve(lease, 4));
        Assert.Equal([3], lease.Table.Slots.ToArray());
        Assert.True(cache.TryReserve(lease, 12));
        Assert.Equal([3, 2, 1], lease.Table.Slots.ToArray());
        Assert.Equal(4, cache.Peek(Root, [1, 1, 1, 1, 2, 2, 2, 2]).HotTokenCount);
        Assert.Equal(0, cache.Peek(Root, [3, 3, 3, 3]).HotTokenCount);
    }

    [Fact]
    public void ASharedStemOutlivesItsBranches()
    {
        using KvCache cache = FakeSequence.CreateCache(4);
        cache.Run(1, 1, 1, 1, 2, 2, 2, 2).Dispose();
        cache.Run(1, 1, 1, 1, 3, 3, 3, 3).Dispose();
        using BlockLease lease = cache.Acquire(Root, []);
        Assert.True(cache.TryReserve(lease, 12));
        Assert.Equal([3, 1, 2], lease.Table.Slots.ToArray());
        Assert.Equal(4, cache.Peek(Root, [1, 1, 1, 1]).HotTokenCount);
    }

    [Fact]
    public void AReservationIsAllOrNothing()
    {
        using KvCache cache = FakeSequence.CreateCache(4);
        using BlockLease held = cache.Run(1, 1, 1, 1, 2, 2, 2, 2);
        cache.Run(3, 3, 3, 3).Dispose();
        using BlockLease lease = cache.Acquire(Root, []);
        Assert.False(cache.TryReserve(lease, 12));
        Assert.Equal(0, lease.Table.Count);
        Assert.Equal(4, cache.Peek(Root, [3, 3, 3, 3]).HotTokenCount);
        Assert.Equal(1, cache.Snapshot().Totals.RefusedReservations);
        Assert.True(cache.TryReserve(lease, 8));
    }

    [Fact]
    public void AppendingBeyondTheReservedRoomIsAnError()
    {
        using KvCache cache = FakeSequence.CreateCache(4);
        using BlockLease lease = cache.Run(1, 2);
        InvalidOperationException error = Assert.Throws<InvalidOperationException>(() => cache.Append(lease, [3]));
        Assert.Contains("room for 0", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ReleasingFreesWhatWasNeverSealed()
    {
        using KvCache cache = FakeSequence.CreateCache(4);
        BlockLease lease = cache.Acquire(Root, []);
        cache.Compute(lease, 1, 2, 3, 4, 5);
        Assert.True(cache.TryReserve(lease, 6));
        lease.Dispose();
        lease.Dispose();
        Assert.Equal([3, 2, 1], cache.Pool.FreeSlots());
        Assert.Throws<ObjectDisposedException>(() => cache.TryReserve(lease, 1));
        CacheIntegrity.Check(cache);
    }

    [Fact]
    public void TruncatingInsideASealedBlockKeepsItForOthersAndForTheNextMatch()
    {
        using KvCache cache = FakeSequence.CreateCache(4);
        using BlockLease lease = cache.Run(1, 2, 3, 4, 5, 6, 7, 8, 9);
        cache.Truncate(lease, 6);
        Assert.Equal([1, 2, 3, 4, 5, 6], lease.Tokens.ToArray());
        Assert.Equal([0, 1], lease.Table.Slots.ToArray());
        cache.Compute(lease, 70);
        Assert.Equal([0, 3], lease.Table.Slots.ToArray());
        Assert.True(FakeSequence.HasRightBytes(cache, lease));
        Assert.Equal(9, cache.Peek(Root, [1, 2, 3, 4, 5, 6, 7, 8, 9]).HotTokenCount);
        CacheIntegrity.Check(cache);
    }

    [Fact]
    public void TruncatingFreesOwnBlocks()
    {
        using KvCache cache = FakeSequence.CreateCache(4);
        using BlockLease lease = cache.Acquire(Root, []);
        Assert.True(cache.TryReserve(lease, 16));
        FakeSequence.Write(cache, lease, [1, 2, 3, 4, 5, 6]);
        cache.Append(lease, [1, 2, 3, 4, 5, 6]);
        cache.Truncate(lease, 5);
        Assert.Equal([0, 1], lease.Table.Slots.ToArray());
        Assert.Equal([3, 2], cache.Pool.FreeSlots());
        Assert.Throws<ArgumentOutOfRangeException>(() => cache.Truncate(lease, 6));
    }

    [Fact]
    public void AForkSharesFullBlocksAndCopiesTheLastPartialOne()
    {
        using KvCache cache = FakeSequence.CreateCache(8);
        using BlockLease lease = cache.Acquire(Root, []);
        cache.Compute(lease, 1, 2, 3, 4, 5, 6);
        using BlockLease? fork = cache.TryFork(lease);
        Assert.NotNull(fork);
        Assert.Equal([0, 1], lease.Table.Slots.ToArray());
        Assert.Equal([0, 2], fork.Table.Slots.ToArray());
        cache.Compute(lease, 7, 8);
        cache.Compute(fork, 70, 80);
        Assert.True(FakeSequence.HasRightBytes(cache, lease));
        Assert.True(FakeSequence.HasRightBytes(cache, fork));
        CacheIntegrity.Check(cache);
    }

    [Fact]
    public void ThereIsNoForkWithoutABlockForTheCopy()
    {
        using KvCache cache = FakeSequence.CreateCache(2);
        using BlockLease lease = cache.Acquire(Root, []);
        cache.Compute(lease, 1, 2, 3, 4, 5);
        Assert.Null(cache.TryFork(lease));
        cache.Compute(lease, 6, 7, 8);
        using BlockLease? fork = cache.TryFork(lease);
        Assert.Equal([0, 1], fork!.Table.Slots.ToArray());
    }

    [Fact]
    public void ExtendPicksUpWhatOthersSealedAndKeepsTheRoomBeyond()
    {
        using KvCache cache = FakeSequence.CreateCache(8);
        using BlockLease first = cache.Acquire(Root, []);
        using BlockLease second = cache.Acquire(Root, [1, 2, 3, 4, 5, 6, 7, 8, 9]);
        Assert.True(cache.TryReserve(second, 12));
        Assert.Equal([0, 1, 2], second.Table.Slots.ToArray());
        cache.Compute(first, 1, 2, 3, 4, 5, 6, 7, 8);
        Assert.Equal(8, cache.Rematch(second, [1, 2, 3, 4, 5, 6, 7, 8, 9]));
        Assert.Equal([3, 4, 2], second.Table.Slots.ToArray());
        Assert.Equal(8, second.CachedTokenCount);
        FakeSequence.Write(cache, second, [9]);
        cache.Append(second, [9]);
        Assert.True(FakeSequence.HasRightBytes(cache, second));
        Assert.Equal(0, cache.Rematch(second, [1, 2, 3, 4, 5, 6, 7, 8, 9]));
        Assert.Throws<ArgumentException>(() => cache.Rematch(second, [1, 2, 30]));
        CacheIntegrity.Check(cache);
    }

    [Fact]
    public void LookingDoesNotCountAsUse()
    {
        using KvCache cache = FakeSequence.CreateCache(2);
        cache.Run(1, 1, 1, 1).Dispose();
        cache.Run(2, 2, 2, 2).Dispose();
        cache.Peek(Root, [1, 1, 1, 1]);
        cache.Run(3, 3, 3, 3).Dispose();
        Assert.Equal(0, cache.Peek(Root, [1, 1, 1, 1]).HotTokenCount);
        Assert.Equal(4, cache.Peek(Root, [2, 2, 2, 2]).HotTokenCount);
    }

    [Fact]
    public void ALeaseOfAnotherCacheIsRefused()
    {
        using KvCache cache = FakeSequence.CreateCache(2);
        using KvCache other = FakeSequence.CreateCache(2);
        using BlockLease lease = other.Acquire(Root, []);
        Assert.Throws<ArgumentException>(() => cache.TryReserve(lease, 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => other.TryReserve(lease, -1));
    }

    [Fact]
    public void ALeaseMayOutliveItsCache()
    {
        KvCache cache = FakeSequence.CreateCache(2);
        BlockLease lease = cache.Run(1, 2, 3, 4);
        cache.Dispose();
        lease.Dispose();
        Assert.Throws<ObjectDisposedException>(() => cache.Acquire(Root, []));
        cache.Dispose();
    }

    [Fact]
    public void ATokenInsideABlockAllocatesNothing()
    {
        using KvCache cache = new(new BlockLayout(1, 1, 1, KvFormat.F32, BlockSize: 256), new KvCacheOptions { HotBlocks = 2, Prefault = false });
        using BlockLease lease = cache.Acquire(Root, []);
        cache.TryReserve(lease, 1);
        cache.Append(lease, [0]);
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int token = 1; token < 200; token++)
        {
            cache.TryReserve(lease, 1);
            cache.Append(lease, [token]);
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }
}
