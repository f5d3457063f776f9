using KvTiers.Prefix;
using KvTiers.Tiers;

namespace KvTiers.Tests.Tiers;

/// <summary>What every tier must do, whatever its store.</summary>
public abstract class BlockTierTests : IAsyncDisposable
{
    private readonly List<BlockTier> _opened = [];
    private protected ManualTime Time { get; } = new();

    private protected static int RecordBytes => TestBlocks.Format.RecordBytes;

    [Fact]
    public async Task WhatWasWrittenIsReadBackBitForBit()
    {
        BlockTier tier = Open(8);
        Assert.True(await tier.WriteAsync(1));
        Assert.True(await tier.WriteAsync(2));
        Assert.True(await tier.ReadAsync(1));
        Assert.True(await tier.ReadAsync(2));
        Assert.False(await tier.ReadAsync(3));
        Assert.Equal((2, 2, 1), (tier.Usage.Hits, tier.Usage.Writes, tier.Usage.Misses[TierMiss.Absent]));
        Assert.Equal((2, 2L * RecordBytes, 8L * RecordBytes), (tier.Usage.Blocks, tier.Usage.UsedBytes, tier.Usage.CapacityBytes));
    }

    [Fact]
    public async Task CountLeadingStopsAtTheFirstBlockThatIsMissing()
    {
        BlockTier tier = Open(8);
        await tier.WriteAsync(1);
        await tier.WriteAsync(2);
        await tier.WriteAsync(4);
        BlockHash[] chain = [TestBlocks.Hash(1), TestBlocks.Hash(2), TestBlocks.Hash(3), TestBlocks.Hash(4)];
        Assert.Equal(2, await tier.CountLeadingAsync(chain, CancellationToken.None));
        Assert.Equal(0, await tier.CountLeadingAsync(chain.AsMemory(2), CancellationToken.None));
        Assert.Equal(1, await tier.CountLeadingAsync(chain.AsMemory(3), CancellationToken.None));
        Assert.Equal(0, await tier.CountLeadingAsync(Array.Empty<BlockHash>(), CancellationToken.None));
    }

    [Fact]
    public async Task TheLeastRecentlyUsedBlockMakesRoom()
    {
        BlockTier tier = Open(3);
        await tier.WriteAsync(1);
        await tier.WriteAsync(2);
        await tier.WriteAsync(3);
        Assert.True(await tier.ReadAsync(1));
        await tier.WriteAsync(2); // there already: a use
        await tier.WriteAsync(4);
        await tier.AssertHoldsAsync([1, 2, 4], of: [1, 2, 3, 4]);
    }

    [Fact]
    public async Task ExpiredBlocksGoFirstThenTheLowestPriority()
    {
        BlockTier tier = Open(4);
        await tier.WriteAsync(1, priority: 1);
        await tier.WriteAsync(2, priority: 5, expires: Clock.GetUtcNow() + ShortLife);
        await tier.WriteAsync(3, priority: 0);
        await tier.WriteAsync(4, priority: 0);
        await OutliveAsync();
        await tier.WriteAsync(5, priority: 2);
        await tier.AssertHoldsAsync([1, 3, 4, 5], of: [1, 2, 3, 4, 5]);
        await tier.WriteAsync(6, priority: 2);
        await tier.AssertHoldsAsync([1, 4, 5, 6], of: [1, 2, 3, 4, 5, 6]);
        await tier.WriteAsync(7, priority: 2);
        await tier.WriteAsync(8, priority: 2);
        await tier.AssertHoldsAsync([5, 6, 7, 8], of: [1, 4, 5, 6, 7, 8]);
    }

    [Fact]
    public async Task RemovedBlocksAreGoneAndTheirRoomIsFree()
    {
        BlockTier tier = Open(2);
        await tier.WriteAsync(1);
        await tier.WriteAsync(2);
        Assert.Equal(new TierAnswer(1, null), await tier.RemoveAsync(new[] { TestBlocks.Hash(1), TestBlocks.Hash(9) }, CancellationToken.None));
        Assert.False(await tier.ReadAsync(1));
        await tier.WriteAsync(3);
        await tier.AssertHoldsAsync([2, 3], of: [1, 2, 3]);
    }

    [Fact]
    public async Task ResizingDownEvictsInOrderAndUpMakesRoom()
    {
        BlockTier tier = Open(4);
        for (int i = 1; i <= 4; i++)
            await tier.WriteAsync(i);

        await tier.ResizeAsync(2L * RecordBytes, CancellationToken.None);
        Assert.Equal(2L * RecordBytes, tier.Usage.CapacityBytes);
        await tier.AssertHoldsAsync([3, 4], of: [1, 2, 3, 4]);
        await tier.ResizeAsync(5L * RecordBytes, CancellationToken.None);
        Assert.Equal(5L * RecordBytes, tier.Usage.CapacityBytes);
        for (int i = 5; i <= 7; i++)
            await tier.WriteAsync(i);

        await tier.AssertHoldsAsync([3, 4, 5, 6, 7], of: Enumerable.Range(1, 7));
        foreach (int i in new[] { 3, 4, 5, 6, 7 })
            Assert.True(await tier.ReadAsync(i));
    }

    [Fact]
    public async Task TenantsAreCountedApartAndEachLosesItsOwnOldest()
    {
        BlockTier tier = Open(8);
        for (int i = 1; i <= 5; i++)
        {
            BlockAttributes attributes = TestBlocks.Attributes() with { Tenant = i % 2 == 1 ? 7 : 9 };
            Assert.True(await tier.TryWriteAsync(TestBlocks.Hash(i), TestBlocks.Bytes(i), attributes, CancellationToken.None));
        }

        Assert.True(await tier.ReadAsync(1));
        Assert.Equal((3L * RecordBytes, 2L * RecordBytes, 0), (await BytesAsync(7), await BytesAsync(9), await BytesAsync(8)));
        Assert.Equal(0, await tier.EvictAsync(8, 1, CancellationToken.None));
        Assert.Equal(2L * RecordBytes, await tier.EvictAsync(7, RecordBytes + 1, CancellationToken.None));
        await tier.AssertHoldsAsync([1, 2, 4], of: [1, 2, 3, 4, 5]);
        await tier.RemoveAsync(new[] { TestBlocks.Hash(2) }, CancellationToken.None);
        Assert.Equal((RecordBytes, RecordBytes), (await BytesAsync(7), await BytesAsync(9)));
        Assert.Equal(RecordBytes, await tier.EvictAsync(7, long.MaxValue, CancellationToken.None));
        Assert.Equal(3, tier.Usage.EvictedBlocks);
        await tier.ClearAsync(CancellationToken.None);
        Assert.Equal((0, 0), (await BytesAsync(7), await BytesAsync(9)));

        ValueTask<long> BytesAsync(int tenant) => tier.BytesOfAsync(tenant, CancellationToken.None);
    }

    [Fact]
    public async Task ClearForgetsEverything()
    {
        BlockTier tier = Open(4);
        await tier.WriteAsync(1);
        await tier.WriteAsync(2);
        await tier.ClearAsync(CancellationToken.None);
        Assert.Empty(await tier.HeldAsync([1, 2]));
        Assert.Equal((0, 0L), (tier.Usage.Blocks, tier.Usage.UsedBytes));
        await tier.WriteAsync(3);
        Assert.True(await tier.ReadAsync(3));
    }

    [Fact]
    public async Task ManyThreadsNeverSeeAWrongByte()
    {
        BlockTier tier = Open(16);
        long hits = 0;
        await Parallel.ForEachAsync(Enumerable.Range(0, 4), async (seed, _) =>
        {
            var random = new Random(seed);
            for (int i = 0; i < 400; i++)
            {
                int number = random.Next(32);
                switch (random.Next(8))
                {
                    case 0:
                        await tier.RemoveAsync(new[] { TestBlocks.Hash(number) }, CancellationToken.None);
                        break;
                    case < 4:
                        await tier.WriteAsync(number);
                        break;
                    default:
                        Interlocked.Add(ref hits, await tier.ReadAsync(number) ? 1 : 0);
                        break;
                }
            }
        });
        Assert.True(hits > 50, $"only {hits} hits");
        Assert.Equal(0, tier.Usage.Misses[TierMiss.Corrupt]);
        Assert.InRange(tier.Usage.Blocks, 1, 16);
    }

    /// <summary>Errors, delays, short reads and flipped bits under the tier: fewer hits, counted, and never a wrong byte.</summary>
    [Fact]
    public async Task AFlakyStoreCostsHitsAndNothingElse()
    {
        var flaky = new FlakyStore(CreateStore(16), seed: 5);
        BlockTier tier = Track(new BlockTier("flaky", TestBlocks.Format, flaky, Time));
        int hits = 0;
        for (int i = 0; i < 600; i++)
        {
            int number = i * 7 % 20;
            await tier.WriteAsync(number);
            hits += await tier.ReadAsync(number) ? 1 : 0;
            Assert.InRange(await tier.CountLeadingAsync(new[] { TestBlocks.Hash(number) }, CancellationToken.None), 0, 1);
        }

        TierUsage usage = tier.Usage;
        Assert.InRange(hits, 200, 580);
        Assert.Equal(hits, usage.Hits);
        Assert.Equal(flaky.Flipped + flaky.Cut, usage.Misses[TierMiss.Corrupt]);
        Assert.Equal(flaky.ReadErrors, usage.Misses[TierMiss.ReadError]);
        Assert.Equal(flaky.WriteErrors, usage.Misses[TierMiss.WriteError]);
        Assert.Equal(flaky.Timeouts, usage.Misses[TierMiss.Deadline]);
        Assert.All(new[] { flaky.Flipped, flaky.Cut, flaky.ReadErrors, flaky.WriteErrors, flaky.Timeouts }, count => Assert.True(count > 5));
    }

    public async ValueTask DisposeAsync()
    {
        foreach (BlockTier tier in _opened)
            await tier.DisposeAsync();

        await CleanUpAsync();
        GC.SuppressFinalize(this);
    }

    private protected abstract IRecordStore CreateStore(int capacity);

    /// <summary>The store's clock.</summary>
    private protected virtual TimeProvider Clock => Time;

    /// <summary>A time to live that <see cref="OutliveAsync"/> outlives.</summary>
    private protected virtual TimeSpan ShortLife => TimeSpan.FromMinutes(1);

    private protected virtual Task OutliveAsync()
    {
        Time.Advance(2 * ShortLife);
        return Task.CompletedTask;
    }

    private protected virtual ValueTask CleanUpAsync() => ValueTask.CompletedTask;

    private protected BlockTier Open(int capacity) => Track(new BlockTier("test", TestBlocks.Format, CreateStore(capacity), Time));

    private BlockTier Track(BlockTier tier)
    {
        _opened.Add(tier);
        return tier;
    }
}
