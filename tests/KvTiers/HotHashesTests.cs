using KvTiers.Prefix;

namespace KvTiers.Tests;

/// <summary>What a cache tells of its whole blocks; blocks of 4 tokens.</summary>
public sealed class HotHashesTests
{
    private static BlockHash Root => FakeSequence.Root;

    [Fact]
    public void WholeBlocksOfAllPathsAreTold()
    {
        using KvCache cache = FakeSequence.CreateCache(16);
        cache.Run(1, 1, 1, 1, 2, 2, 2, 2, 3, 3).Dispose();
        cache.Run(1, 1, 1, 1, 4, 4, 4, 4).Dispose();
        BlockHash shared = Root.Next([1, 1, 1, 1]);
        BlockHash[] expected = [shared, shared.Next([2, 2, 2, 2]), shared.Next([4, 4, 4, 4])];
        Assert.Equal(expected.Order(), cache.HotHashes(100).Order());
    }

    [Fact]
    public void WhenNotAllAreAskedForThoseNearTheRootComeFirst()
    {
        using KvCache cache = FakeSequence.CreateCache(16);
        cache.Run(1, 1, 1, 1, 2, 2, 2, 2).Dispose();
        cache.Run(1, 1, 1, 1, 4, 4, 4, 4, 5, 5, 5, 5).Dispose();
        cache.Run(6, 6, 6, 6).Dispose();
        Assert.Equal(2, cache.HotHashes(2).Intersect([Root.Next([1, 1, 1, 1]), Root.Next([6, 6, 6, 6]), Root.Next([1, 1, 1, 1]).Next([2, 2, 2, 2])]).Count());
        Assert.Contains(Root.Next([1, 1, 1, 1]), cache.HotHashes(1));
        Assert.Empty(cache.HotHashes(0));
        Assert.Throws<ArgumentOutOfRangeException>(() => cache.HotHashes(-1));
    }

    [Fact]
    public void WhatAnEditCutOffIsNotTold()
    {
        using KvCache cache = FakeSequence.CreateCache(16);
        cache.Run(1, 1, 1, 1, 2, 2, 2, 2).Dispose();
        cache.Supersede(Root, [1, 1, 1, 1, 2, 2, 2, 2], keptTokenCount: 4);
        Assert.Equal([Root.Next([1, 1, 1, 1])], cache.HotHashes(100));
    }
}
