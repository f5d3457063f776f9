using System.Runtime.CompilerServices;
using KvTiers.Blocks;

namespace KvTiers.Inference.Kernels;

/// <summary>Puts the keys and values of new rows into their blocks: K transposed, both rounded to the layout's format.</summary>
internal sealed unsafe class KvWriter(ThreadTeam team, KernelPath path, BlockLayout layout) : ITeamJob
{
    private const int RowsPerChunk = 64;
    private const int PieceElements = 64;
    private StepRows _rows = null!;
    private int _layer;
    private float* _keys;
    private float* _values;
    private int _stride;

    /// <summary>Writes one layer's K and V of every row.</summary>
    /// <param name="rows">Where the rows stand.</param>
    /// <param name="layer">The layer.</param>
    /// <param name="keys">[rows, stride], of which the first kvHeads · headDim elements are written.</param>
    /// <param name="values">The same for values.</param>
    /// <param name="stride">Elements from row to row.</param>
    public void Run(StepRows rows, int layer, float* keys, float* values, int stride)
    {
        _rows = rows;
        _layer = layer;
        _keys = keys;
        _values = values;
        _stride = stride;
        team.Run(this, (rows.Count + RowsPerChunk - 1) / RowsPerChunk);
    }

    void ITeamJob.Run(int chunk, int worker)
    {
        switch (path)
        {
            case KernelPath.Avx512:
                Write<Lanes512>(chunk);
                break;
            case KernelPath.Avx2:
                Write<Lanes256>(chunk);
                break;
            default:
                Write<LanesPlain>(chunk);
                break;
        }
    }

    // Rows that fill a block go together.
    private void Write<TLanes>(int chunk)
        where TLanes : struct, ILanes<TLanes>
    {
        int last = Math.Min((chunk + 1) * RowsPerChunk, _rows.Count);
        for (int row = chunk * RowsPerChunk; row < last;)
        {
            (int block, int slot) = Math.DivRem(_rows.Positions[row], layout.BlockSize);
            byte* target = (byte*)_rows.Tables[row].Addresses[block];
            int count = slot == 0 && layout.BlockSize == ILanes<TLanes>.Count && IsBlock(row, last) ? layout.BlockSize : 1;
            for (int head = 0; head < layout.KvHeads; head++)
            {
                float* key = _keys + (long)row * _stride + head * layout.HeadDim;
                float* value = _values + (long)row * _stride + head * layout.HeadDim;
                byte* keyTarget = target + layout.KeyOffset(_layer, head), valueTarget = target + layout.ValueOffset(_layer, head);
                for (int i = 0; i < count; i++)
                    WriteValue<TLanes>(value + (long)i * _stride, valueTarget, slot + i);
                if (count == 1)
                    WriteKey(key, keyTarget, slot);
                else
                    WriteKeys<TLanes>(key, keyTarget);
            }
            row += count;
        }
    }

    // Whether a row and those after it are the positions of one block.
    private bool IsBlock(int row, int last)
    {
        int end = row + layout.BlockSize - 1;
        return end < last && _rows.Tables[end] == _rows.Tables[row] && _rows.Positions[end] == _rows.Positions[row] + layout.BlockSize - 1;
    }

    private void WriteValue<TLanes>(float* value, byte* target, int slot)
        where TLanes : struct, ILanes<TLanes>
    {
        int headDim = layout.HeadDim, whole = headDim & -ILanes<TLanes>.Count;
        if (layout.Format == KvFormat.F32)
        {
            new ReadOnlySpan<float>(value, headDim).CopyTo(new Span<float>((float*)target + slot * headDim, headDim));
            return;
        }
        ushort* elements = (ushort*)target + slot * headDim;
        for (int d = 0; d < whole; d += ILanes<TLanes>.Count)
            TLanes.StoreBF16(TLanes.Load(value + d), elements + d);
        for (int d = whole; d < headDim; d++)
            elements[d] = BFloat16.Round(value[d]);
    }

    private void WriteKey(float* key, byte* target, int slot)
    {
        for (int d = 0; d < layout.HeadDim; d++)
        {
            if (layout.Format == KvFormat.F32)
                ((float*)target)[d * layout.BlockSize + slot] = key[d];
            else
                ((ushort*)target)[d * layout.BlockSize + slot] = BFloat16.Round(key[d]);
        }
    }

    // All rows of a block, a piece of their elements at a time.
    [SkipLocalsInit]
    private void WriteKeys<TLanes>(float* keys, byte* target)
        where TLanes : struct, ILanes<TLanes>
    {
        const int Rows = ILanes<TLanes>.Count;
        uint* piece = stackalloc uint[PieceElements * Rows];
        for (int first = 0; first < layout.HeadDim; first += PieceElements)
        {
            int count = Math.Min(PieceElements, layout.HeadDim - first);
            RowInterleave.Run((uint*)(keys + first), _stride, Rows, count, piece, Rows);
            for (int d = 0; d < count; d++)
            {
                TLanes elements = TLanes.Load((float*)piece + d * Rows);
                if (layout.Format == KvFormat.F32)
                    TLanes.Store(elements, (float*)target + (first + d) * Rows);
                else
                    TLanes.StoreBF16(elements, (ushort*)target + (first + d) * Rows);
            }
        }
    }
}
