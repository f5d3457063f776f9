using KvTiers.Diagnostics;
using KvTiers.Prefix;

namespace KvTiers.Tests;

public sealed class KvCacheCapacityTests
{
    [Fact]
    public void GrowingGivesRoomAtOnce()
    {
        using KvCache cache = FakeSequence.CreateCache(1);
        using BlockLease lease = cache.Run(1, 2, 3, 4);
        Assert.False(cache.TryReserve(lease, 4));
        Assert.Equal(3, cache.Resize(3));
        cache.Compute(lease, 5, 6, 7, 8);
        Assert.Equal([0, 1], lease.Table.Slots.ToArray());
        CacheIntegrity.Check(cache);
    }

    [Fact]
    public void ShrinkingEvictsInTheUsualOrder()
    {
        using KvCache cache = FakeSequence.CreateCache(4);
        cache.Run(1, 1, 1, 1, 2, 2, 2, 2).Dispose();
        cache.Run(3, 3, 3, 3).Dispose();
        Assert.Equal(2, cache.Resize(2));
        Assert.Equal(4, cache.Peek(FakeSequence.Root, [1, 1, 1, 1, 2, 2, 2, 2]).HotTokenCount);
        Assert.Equal(4, cache.Peek(FakeSequence.Root, [3, 3, 3, 3]).HotTokenCount);
        Assert.Empty(cache.Pool.FreeSlots());
        CacheIntegrity.Check(cache);
    }

    [Fact]
    public void BlocksInUseAreNeverDroppedAndTheReachedCapacityIsReported()
    {
        using KvCache cache = FakeSequence.CreateCache(6);
        using BlockLease lease = cache.Run(1, 1, 1, 1, 2, 2, 2, 2, 3);
        cache.Run(4, 4, 4, 4).Dispose();
        Assert.Equal(3, cache.Resize(1));
        Assert.True(FakeSequence.HasRightBytes(cache, lease));
        lease.Dispose();
        Assert.Equal(1, cache.Resize(1));
        Assert.Equal(4, cache.Peek(FakeSequence.Root, [1, 1, 1, 1, 2, 2, 2, 2, 3]).HotTokenCount);
        Assert.Throws<ArgumentOutOfRangeException>(() => cache.Resize(0));
        CacheIntegrity.Check(cache);
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(7, 7)]
    public void ACapacityInBlocksIsTakenAsItIs(int blocks, int capacity) =>
        Assert.Equal(capacity, new KvCacheOptions { HotBlocks = blocks, HotBytes = 0 }.CapacityFor(FakeSequence.Layout));

    [Theory]
    [InlineData(64, 1)]
    [InlineData(127, 1)]
    [InlineData(128, 2)]
    public void ACapacityInBytesIsRoundedDownToBlocks(long bytes, int capacity) =>
        Assert.Equal(capacity, new KvCacheOptions { HotBytes = bytes }.CapacityFor(FakeSequence.Layout));

    [Fact]
    public void OptionsOutOfRangeNameThePropertyTheValueAndTheRule()
    {
        Assert.Equal(
            "HotBlocks is 0; it must be at least 1.",
            Assert.Throws<ArgumentException>(() => new KvCacheOptions { HotBlocks = 0 }.CapacityFor(FakeSequence.Layout)).Message);
        Assert.Equal(
            "HotBytes is 63; it must hold at least one block of 64 bytes.",
            Assert.Throws<ArgumentException>(() => new KvCacheOptions { HotBytes = 63 }.CapacityFor(FakeSequence.Layout)).Message);
    }

    [Fact]
    public void TheRecipientSeesBlocksSealedPublishedAndEvictedWithTheirBytes()
    {
        RecordingRecipient recipient = new();
        using KvCache cache = FakeSequence.CreateCache(2, recipient: recipient);
        BlockHash first = FakeSequence.Root.Next([1, 2, 3, 4]);
        BlockHash end = first.Next([5]);
        cache.Run(1, 2, 3, 4, 5).Dispose();
        cache.Supersede(FakeSequence.Root, [1, 2, 3, 4, 5], keptTokenCount: 4);
        byte[] firstBytes = cache.Pool.Bytes(0).ToArray();
        cache.Resize(1);
        Assert.Equal(1, cache.Resize(1));
        cache.Run(7).Dispose();
        Assert.Equal(
            [
                ("sealed", first, 4),
                ("sealed", end, 1),
                ("Superseded", end, 1),
                ("LeastRecentlyUsed", first, 4),
                ("sealed", FakeSequence.Root.Next([7]), 1),
            ],
            recipient.Seen.Select(seen => (seen.What, seen.Hash, seen.TokenCount)));
        Assert.Equal(firstBytes, recipient.Seen[0].Bytes);
        Assert.Equal(firstBytes, recipient.Seen[3].Bytes);
    }

    private sealed class RecordingRecipient : IBlockRecipient
    {
        public List<(string What, BlockHash Hash, int TokenCount, byte[] Bytes)> Seen { get; } = [];

        public void OnSealed(BlockHash hash, in BlockAttributes attributes, ReadOnlySpan<byte> bytes) => Seen.Add(("sealed", hash, attributes.TokenCount, bytes.ToArray()));

        public void OnEvicting(BlockHash hash, in BlockAttributes attributes, ReadOnlySpan<byte> bytes, EvictionCause cause, StallBudget budget) =>
            Seen.Add((cause.ToString(), hash, attributes.TokenCount, bytes.ToArray()));
    }
}
