using KvTiers.Prefix;
using KvTiers.Tiers;

namespace KvTiers.Tests.Tiers;

/// <summary>What the garbage collector has to do with a block: little, and nothing anew when blocks come and go.</summary>
public sealed class ManagedMemoryTests
{
    private const int Blocks = 16_384;

    /// <summary>Allocated while filling is an upper bound of what is held.</summary>
    [Fact]
    public void AHotBlockTakesAFewHundredManagedBytes()
    {
        const int BlocksPerSequence = 64;
        var root = BlockHash.Root("model"u8, TestBlocks.Layout, []);
        int[][] sequences = [.. Enumerable.Range(0, Blocks / BlocksPerSequence)
            .Select(sequence => Enumerable.Range(sequence << 16, BlocksPerSequence * 16).ToArray())];
        long before = GC.GetAllocatedBytesForCurrentThread();
        using var cache = new KvCache(TestBlocks.Layout, new KvCacheOptions { HotBlocks = Blocks, Prefault = false });
        foreach (int[] tokens in sequences)
        {
            using BlockLease lease = cache.Acquire(root, tokens);
            Assert.True(cache.TryReserve(lease, tokens.Length));
            cache.Append(lease, tokens);
        }

        long perBlock = (GC.GetAllocatedBytesForCurrentThread() - before) / Blocks;
        Assert.Equal(0, cache.Pool.FreeCount);
        Assert.InRange(perBlock, 1, 1024);
    }

    [Fact]
    public async Task ABlockInMemoryTakesAFewHundredManagedBytes()
    {
        byte[] block = TestBlocks.Bytes(1);
        BlockHash[] hashes = [.. Enumerable.Range(0, Blocks).Select(TestBlocks.Hash)];
        long before = GC.GetAllocatedBytesForCurrentThread();
        await using BlockTier tier = Ram();
        foreach (BlockHash hash in hashes)
            Assert.True(Now(tier.TryWriteAsync(hash, block, TestBlocks.Attributes(), CancellationToken.None)));

        long perBlock = (GC.GetAllocatedBytesForCurrentThread() - before) / Blocks;
        Assert.Equal(Blocks, tier.Usage.Blocks);
        Assert.InRange(perBlock, 1, 1024);
    }

    [Fact]
    public async Task ReplacingAndReadingBlocksInMemoryAllocatesNothing()
    {
        byte[] block = TestBlocks.Bytes(1);
        BlockHash[] hashes = [.. Enumerable.Range(0, 3 * Blocks).Select(TestBlocks.Hash)];
        await using BlockTier tier = Ram();
        Replace(hashes.AsSpan(0, 2 * Blocks));
        long before = GC.GetAllocatedBytesForCurrentThread();
        Replace(hashes.AsSpan(2 * Blocks));
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        Assert.Equal((3 * Blocks, 3 * Blocks), (tier.Usage.Writes, tier.Usage.Hits));

        void Replace(ReadOnlySpan<BlockHash> some)
        {
            bool all = true;
            foreach (BlockHash hash in some)
            {
                all &= Now(tier.TryWriteAsync(hash, block, TestBlocks.Attributes(), CancellationToken.None));
                ValueTask<BlockAttributes?> read = tier.ReadAsync(hash, block, CancellationToken.None);
                all &= read.IsCompletedSuccessfully && read.Result is not null;
            }

            Assert.True(all);
        }
    }

    private static BlockTier Ram() =>
        new("ram", TestBlocks.Format, new RamStore(TestBlocks.Format.RecordBytes, (long)Blocks * TestBlocks.Format.RecordBytes));

    // A tier in memory answers at once.
    private static bool Now(ValueTask<bool> call) => call.IsCompletedSuccessfully && call.Result;
}
