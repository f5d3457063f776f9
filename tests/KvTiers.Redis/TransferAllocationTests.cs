using KvTiers.Tests.Tiers;

namespace KvTiers.Redis.Tests;

/// <summary>Counts what the whole process allocates, so nothing else runs meanwhile.</summary>
[CollectionDefinition(nameof(TransferAllocationTests), DisableParallelization = true)]
[Collection(nameof(TransferAllocationTests))]
public sealed class TransferAllocationTests
{
    /// <summary>The client used to allocate every value it received, and a record of half a megabyte is a large object.</summary>
    [Fact]
    public async Task RecordsTravelInBuffersThatAreUsedAgain()
    {
        Assert.SkipUnless(RedisServer.IsAvailable, RedisServer.Reason);
        const int RecordBytes = 512 << 10, Records = 8, Rounds = 5;
        using var server = new RedisServer();
        await using RedisStore store = await RedisStore.ConnectAsync(RecordBytes, new RedisStoreOptions
        {
            Configuration = server.Configuration,
            CapacityBytes = 2L * Records * RecordBytes,
        });
        byte[] record = new byte[RecordBytes], read = new byte[RecordBytes];
        new Random(7).NextBytes(record);
        long before = 0;
        for (int round = -1; round < Rounds; round++)
        {
            if (round == 0)
                before = GC.GetTotalAllocatedBytes(precise: true);
            for (int i = 0; i < Records; i++)
            {
                Assert.True(await store.TryWriteAsync(TestBlocks.Hash(i), record, TestBlocks.Attributes(), CancellationToken.None));
                Assert.True(await store.TryReadAsync(TestBlocks.Hash(i), read, CancellationToken.None));
            }
        }

        // A busy machine rents more buffers at one time, and a pool that is empty makes one.
        long allocated = (GC.GetTotalAllocatedBytes(precise: true) - before) / (Rounds * Records);
        Assert.InRange(allocated, 0, RecordBytes / 2);
        Assert.Equal(record, read);
    }
}
