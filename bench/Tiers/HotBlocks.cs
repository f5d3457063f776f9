using KvTiers.Blocks;
using KvTiers.Prefix;
using KvTiers.Tiers;

namespace KvTiers.Bench.Tiers;

/// <summary>More hot blocks than the processor's caches hold, filled with normally distributed bfloat16 values.</summary>
internal sealed class HotBlocks : IDisposable
{
    private readonly BlockPool _pool;
    private readonly BlockHash[] _hashes;

    public HotBlocks(BlockLayout layout, long byteCount, int hashCount)
    {
        Layout = layout;
        Count = (int)(byteCount / layout.BytesPerBlock);
        _pool = new BlockPool(layout, Count);
        BlockHash root = BlockHash.Root("bench"u8, layout, []);
        _hashes = [.. Enumerable.Range(0, hashCount).Select(number => root.Next([number]))];
        byte[] values = NormalValues(layout.BytesPerBlock);
        Memory = new Memory<byte>[Count];
        for (int i = 0; i < Count; i++)
        {
            values.CopyTo(_pool.Bytes(i));
            Memory[i] = NativeMemoryManager.At(_pool.Address(i), layout.BytesPerBlock).Memory;
        }
    }

    public BlockLayout Layout { get; }

    public int Count { get; }

    public Memory<byte>[] Memory { get; }

    /// <summary>A layout whose blocks have so many bytes: 4 KiB for one head of one layer.</summary>
    public static BlockLayout LayoutOf(int blockBytes)
    {
        int heads = blockBytes / 4096;
        int layers = Math.Min(heads, 32);
        return new BlockLayout(layers, heads / layers, HeadDim: 64, KvFormat.BF16);
    }

    public BlockHash Hash(int number) => _hashes[number];

    public void Dispose() => _pool.Dispose();

    private static byte[] NormalValues(int byteCount)
    {
        var random = new Random(1);
        var bytes = new byte[byteCount];
        for (int i = 0; i < byteCount; i += 2)
        {
            double value = Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
            BitConverter.TryWriteBytes(bytes.AsSpan(i), (ushort)(BitConverter.SingleToUInt32Bits((float)value) >> 16));
        }

        return bytes;
    }
}
