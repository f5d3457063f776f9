using KvTiers.Blocks;

namespace KvTiers.TorchSharp;

/// <summary>Copies rows of tokens between blocks and row-major memory: K is transposed in a block, V is not.</summary>
/// <remarks>
/// Row-major memory of one layer is [kvHeads, rows, headDim], of K and of V; a head starts <c>headStride</c> elements after the one before. Elements are moved
/// as they are, in the layout's format.
/// </remarks>
internal static unsafe class BlockRows
{
    /// <summary>Copies one layer's rows of a sequence out of its blocks.</summary>
    /// <param name="layout">The shape of a block.</param>
    /// <param name="table">The sequence's blocks.</param>
    /// <param name="layer">The layer.</param>
    /// <param name="first">The first token position.</param>
    /// <param name="count">Rows.</param>
    /// <param name="target">Where the first row of the first head goes.</param>
    public static void Read(BlockLayout layout, BlockTable table, int layer, int first, int count, RowMemory target)
    {
        if (layout.Format == KvFormat.F32)
            Read<uint>(layout, table, layer, first, count, target);
        else
            Read<ushort>(layout, table, layer, first, count, target);
    }

    /// <summary>Copies one layer's rows of a sequence into its blocks. The blocks are the sequence's alone.</summary>
    /// <param name="layout">The shape of a block.</param>
    /// <param name="table">The sequence's blocks.</param>
    /// <param name="layer">The layer.</param>
    /// <param name="first">The first token position.</param>
    /// <param name="count">Rows.</param>
    /// <param name="source">Where the first row of the first head is.</param>
    public static void Write(BlockLayout layout, BlockTable table, int layer, int first, int count, RowMemory source)
    {
        if (layout.Format == KvFormat.F32)
            Write<uint>(layout, table, layer, first, count, source);
        else
            Write<ushort>(layout, table, layer, first, count, source);
    }

    private static void Read<T>(BlockLayout layout, BlockTable table, int layer, int first, int count, RowMemory target)
        where T : unmanaged
    {
        int blockSize = layout.BlockSize, headDim = layout.HeadDim;
        for (int done = 0; done < count;)
        {
            (int block, int slot) = Math.DivRem(first + done, blockSize);
            int rows = Math.Min(blockSize - slot, count - done);
            byte* bytes = (byte*)table.Addresses[block];
            for (int head = 0; head < layout.KvHeads; head++)
            {
                T* keys = (T*)(bytes + layout.KeyOffset(layer, head)) + slot, values = (T*)(bytes + layout.ValueOffset(layer, head)) + slot * headDim;
                long row = head * target.HeadStride + (long)done * headDim;
                T* keyRows = (T*)target.Keys + row;
                for (int i = 0; i < rows; i++)
                {
                    for (int d = 0; d < headDim; d++)
                        keyRows[i * headDim + d] = keys[d * blockSize + i];
                }

                new ReadOnlySpan<T>(values, rows * headDim).CopyTo(new Span<T>((T*)target.Values + row, rows * headDim));
            }

            done += rows;
        }
    }

    private static void Write<T>(BlockLayout layout, BlockTable table, int layer, int first, int count, RowMemory source)
        where T : unmanaged
    {
        int blockSize = layout.BlockSize, headDim = layout.HeadDim;
        for (int done = 0; done < count;)
        {
            (int block, int slot) = Math.DivRem(first + done, blockSize);
            int rows = Math.Min(blockSize - slot, count - done);
            byte* bytes = (byte*)table.Addresses[block];
            for (int head = 0; head < layout.KvHeads; head++)
            {
                T* keys = (T*)(bytes + layout.KeyOffset(layer, head)) + slot, values = (T*)(bytes + layout.ValueOffset(layer, head)) + slot * headDim;
                long row = head * source.HeadStride + (long)done * headDim;
                T* keyRows = (T*)source.Keys + row;
                for (int d = 0; d < headDim; d++)
                {
                    for (int i = 0; i < rows; i++)
                        keys[d * blockSize + i] = keyRows[i * headDim + d];
                }

                new ReadOnlySpan<T>((T*)source.Values + row, rows * headDim).CopyTo(new Span<T>(values, rows * headDim));
            }

            done += rows;
        }
    }
}
