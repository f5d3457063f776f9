using KvTiers.Diagnostics;

namespace KvTiers.Tests;

/// <summary>A private lease finds nothing and leaves nothing.</summary>
public sealed class PrivateLeaseTests
{
    private static readonly int[] Tokens = [.. Enumerable.Range(100, 10)];

    [Fact]
    public void ItsBlocksAreNeverFoundAndAreFreeAgainAfterwards()
    {
        using KvCache cache = FakeSequence.CreateCache(8);

        using (BlockLease lease = cache.AcquirePrivate())
        {
            cache.Compute(lease, Tokens);
            cache.Publish(lease);
            Assert.True(FakeSequence.HasRightBytes(cache, lease));
            Assert.Equal((10, 3), (lease.TokenCount, lease.Table.Count));
            Assert.Equal(0, cache.Peek(FakeSequence.Root, Tokens).HotTokenCount);
            Assert.Equal(0, cache.Snapshot().Nodes);
            CacheIntegrity.Check(cache);
        }

        Assert.Equal(8, cache.Pool.FreeCount);
        CacheIntegrity.Check(cache);
    }

    [Fact]
    public void ItDoesNotPickUpWhatOthersSealed()
    {
        using KvCache cache = FakeSequence.CreateCache(8);
        using BlockLease lease = cache.AcquirePrivate();
        using BlockLease other = cache.Run(Tokens);

        Assert.Equal(0, cache.Rematch(lease, Tokens));
        Assert.Equal(0, lease.TokenCount);
    }

    [Fact]
    public void ItsForkCopiesEveryBlock()
    {
        using KvCache cache = FakeSequence.CreateCache(6);
        using BlockLease lease = cache.AcquirePrivate();
        cache.Compute(lease, Tokens);

        using BlockLease? fork = cache.TryFork(lease);

        Assert.NotNull(fork);
        Assert.True(fork.IsPrivate);
        Assert.True(FakeSequence.HasRightBytes(cache, fork));
        Assert.Empty(fork.Table.Slots.ToArray().Intersect(lease.Table.Slots.ToArray()));
        Assert.Equal(0, cache.Pool.FreeCount);
        Assert.Null(cache.TryFork(lease));
        CacheIntegrity.Check(cache);
    }
}
