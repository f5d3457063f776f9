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

    private protected override IRecordStore CreateStore(int capacity) => new RamStore(RecordBytes, (long)capacity * RecordBytes, Time);
}
