using System.Runtime.InteropServices;
using KvTiers.Blocks;
using KvTiers.Prefix;

namespace KvTiers.TorchSharp.Tests;

/// <summary>Needs no libtorch.</summary>
public sealed class BlockRowsTests
{
    [Theory]
    [InlineData(KvFormat.F32)]
    [InlineData(KvFormat.BF16)]
    public unsafe void RowsLieInABlockAsTheBlockFormatSays(KvFormat format)
    {
        var layout = new BlockLayout(Layers: 2, KvHeads: 2, HeadDim: 3, format, BlockSize: 4);
        using var cache = new KvCache(layout, new KvCacheOptions { HotBlocks = 4, Prefault = false });
        using BlockLease lease = cache.Acquire(BlockHash.Root("rows"u8, layout, []), []);
        Assert.True(lease.TryReserve(7));
        int bytes = layout.BytesPerElement, heads = 2, rows = 5, first = 1;
        byte[] keys = new byte[heads * rows * 3 * bytes], values = new byte[keys.Length];
        for (int i = 0; i < keys.Length; i++)
            (keys[i], values[i]) = ((byte)i, (byte)(i + 128));
        byte[] keysBack = new byte[keys.Length], valuesBack = new byte[keys.Length];
        fixed (byte* k = keys, v = values, kBack = keysBack, vBack = valuesBack)
        {
            BlockRows.Write(layout, lease.Table, layer: 1, first, rows, new RowMemory((nint)k, (nint)v, rows * 3));
            BlockRows.Read(layout, lease.Table, layer: 1, first, rows, new RowMemory((nint)kBack, (nint)vBack, rows * 3));
        }

        Assert.Equal(keys, keysBack);
        Assert.Equal(values, valuesBack);

        // Row 3 of the second head is token 0 of the second block: its dimension 2, as docs/block-format.md places it.
        Span<byte> block = cache.Pool.Bytes(lease.Table.Slots[1]);
        int source = ((1 * rows + 3) * 3 + 2) * bytes;
        Assert.Equal(keys.AsSpan(source, bytes), block.Slice(layout.KeyOffset(1, 1) + 2 * 4 * bytes, bytes));
        Assert.Equal(values.AsSpan(source, bytes), block.Slice(layout.ValueOffset(1, 1) + 2 * bytes, bytes));
        Assert.Equal(0, MemoryMarshal.Read<ushort>(block[layout.KeyOffset(0, 0)..]));
    }
}
