using KvTiers.Blocks;
using KvTiers.Prefix;
using KvTiers.Tiers;
using KvTiers.Tiers.Encodings;

namespace KvTiers.Bench.Memory;

/// <summary>A hot tier and a RAM tier, both full, as long conversations leave them.</summary>
internal sealed class HeldBlocks : IAsyncDisposable
{
    private const int BlocksPerConversation = 64;

    private readonly KvCache _hot;
    private readonly BlockTier _ram;

    private HeldBlocks(KvCache hot, BlockTier ram)
    {
        _hot = hot;
        _ram = ram;
    }

    /// <summary>Fills half of <paramref name="byteCount"/> in the hot tier, and half in the RAM tier.</summary>
    public static async Task<HeldBlocks> FillAsync(long byteCount, BlockLayout layout)
    {
        int blocks = (int)(byteCount / 2 / layout.BytesPerBlock);
        var hot = new KvCache(layout, new KvCacheOptions { HotBlocks = blocks });
        var format = new BlockRecord(BlockCodec.Create(layout, BlockEncoding.Hot));
        var ram = new BlockTier("ram", format, new RamStore(format.RecordBytes, (long)blocks * format.RecordBytes));
        BlockHash root = BlockHash.Root("bench"u8, layout, []);
        var random = new Random(1);
        for (int i = 0; i < blocks / BlocksPerConversation; i++)
        {
            int[] tokens = [.. Enumerable.Range(0, BlocksPerConversation * layout.BlockSize).Select(_ => random.Next())];
            using BlockLease lease = hot.Acquire(root, tokens);
            if (!hot.TryReserve(lease, tokens.Length))
                throw new InvalidOperationException("The hot tier was not to be full yet.");

            foreach (int slot in lease.Table.Slots)
                hot.Pool.Bytes(slot).Fill((byte)i);

            hot.Append(lease, tokens);
        }

        using var block = new BlockPool(layout, 1);
        Memory<byte> bytes = NativeMemoryManager.At(block.Address(0), layout.BytesPerBlock).Memory;
        for (int i = 0; i < blocks; i++)
            await ram.TryWriteAsync(root.Next([i]), bytes, new BlockAttributes { TokenCount = layout.BlockSize }, CancellationToken.None);

        return new HeldBlocks(hot, ram);
    }

    public long BlockCount => _hot.Pool.Capacity - _hot.Pool.FreeCount + _ram.Usage.Blocks;

    public async ValueTask DisposeAsync()
    {
        await _ram.DisposeAsync();
        _hot.Dispose();
    }
}
