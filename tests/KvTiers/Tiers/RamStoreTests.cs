using System.Runtime.InteropServices;
using KvTiers.Blocks;
using KvTiers.Prefix;
using KvTiers.Tiers;

namespace KvTiers.Tests.Tiers;

public sealed class RamStoreTests : BlockTierTests
{
    [Fact]
    public async Task AnEvictedRecordIsHandedOnWholeAndCanBeFoundUntilThen()
    {
        var store = new RamStore(RecordBytes, 2L * RecordBytes, Time);
        await using var tier = new BlockTier("ram", TestBlocks.Format, store, Time);
        var handed = new List<BlockHash>();
        store.Evicting = (hash, attributes, record) =>
        {
            handed.Add(hash);
            Assert.Equal(3, attributes.Priority);
            byte[] block = new byte[TestBlocks.Layout.BytesPerBlock];
            Assert.Equal(RecordFault.None, TestBlocks.Format.TryRead(hash, record.Span, block));
            Assert.Equal(TestBlocks.Bytes(1), block);
            Assert.Equal(1, store.CountLeadingAsync(new[] { hash }, CancellationToken.None).Result);
        };
        await tier.WriteAsync(1, priority: 3);
        await tier.WriteAsync(2, priority: 4);
        await tier.WriteAsync(3, priority: 4);
        Assert.Equal([TestBlocks.Hash(1)], handed);
        await tier.AssertHoldsAsync([2, 3], of: [1, 2, 3]);
    }

    /// <summary>Memory goes wrong as well, if rarely: a record is checked where it lies.</summary>
    [Theory]
    [InlineData(20)] // in the header
    [InlineData(BlockRecord.SectorBytes + 9)] // in the payload
    public async Task ARecordThatChangedInMemoryIsAMissAndIsForgotten(int at)
    {
        var store = new RamStore(RecordBytes, 4L * RecordBytes, Time);
        await using var tier = new BlockTier("ram", TestBlocks.Format, store, Time);
        await tier.WriteAsync(1);
        await tier.WriteAsync(2);
        Assert.True(store.TryPin(TestBlocks.Hash(1), out int slot, out ReadOnlySpan<byte> record));
        MemoryMarshal.AsRef<byte>(MemoryMarshal.CreateSpan(ref MemoryMarshal.GetReference(record), record.Length)[at..]) ^= 4;
        store.Unpin(slot);
        Assert.False(await tier.ReadAsync(1));
        Assert.Equal(1, tier.Usage.Misses[TierMiss.Corrupt]);
        await tier.AssertHoldsAsync([2], of: [1, 2]);
    }

    /// <summary>A block of another length than the layout's takes no room for good.</summary>
    [Fact]
    public async Task AWriteThatFailsGivesItsPlaceBack()
    {
        await using var tier = new BlockTier("ram", TestBlocks.Format, new RamStore(RecordBytes, RecordBytes, Time), Time);
        await Assert.ThrowsAsync<ArgumentException>(
            async () => await tier.TryWriteAsync(TestBlocks.Hash(1), new byte[3], TestBlocks.Attributes(), CancellationToken.None));
        Assert.True(await tier.WriteAsync(2));
        Assert.True(await tier.ReadAsync(2));
    }

    /// <summary>Memory that the system refuses used to leave its slot filling for ever, one with each write.</summary>
    [Fact]
    public async Task APlaceThatCannotBeMappedIsGivenBack()
    {
        bool refuses = true;
        var store = new RamStore(RecordBytes, 2L * RecordBytes, Time, bytes => refuses ? throw new OutOfMemoryException("refused") : new SlabSegment(bytes));
        await using var tier = new BlockTier("ram", TestBlocks.Format, store, Time);
        for (int i = 0; i < 5; i++)
            Assert.False(await tier.WriteAsync(i));

        Assert.Equal(5, tier.Usage.Misses[TierMiss.WriteError]);
        refuses = false;
        Assert.True(await tier.WriteAsync(6));
        Assert.True(await tier.WriteAsync(7));
        await tier.AssertHoldsAsync([6, 7], of: Enumerable.Range(0, 8));
    }

    private protected override IRecordStore CreateStore(int capacity) => new RamStore(RecordBytes, (long)capacity * RecordBytes, Time);
}
