using KvTiers.Blocks;

namespace KvTiers.Inference.Kernels;

/// <summary>Puts the keys and values of new rows into their blocks: K transposed, both rounded to the layout's format.</summary>
internal sealed unsafe class KvWriter(ThreadTeam team, BlockLayout layout) : ITeamJob
{
    private const int RowsPerChunk = 16;
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
        int last = Math.Min((chunk + 1) * RowsPerChunk, _rows.Count);
        for (int row = chunk * RowsPerChunk; row < last; row++)
        {
            (int block, int slot) = Math.DivRem(_rows.Positions[row], layout.BlockSize);
            byte* target = (byte*)_rows.Tables[row].Addresses[block];
            for (int head = 0; head < layout.KvHeads; head++)
            {
                float* key = _keys + (long)row * _stride + head * layout.HeadDim;
                float* value = _values + (long)row * _stride + head * layout.HeadDim;
                byte* keyTarget = target + layout.KeyOffset(_layer, head), valueTarget = target + layout.ValueOffset(_layer, head);
                if (layout.Format == KvFormat.F32)
                    WriteF32(key, value, (float*)keyTarget, (float*)valueTarget, slot);
                else
                    WriteBF16(key, value, (ushort*)keyTarget, (ushort*)valueTarget, slot);
            }
        }
    }

    private void WriteF32(float* key, float* value, float* keyTarget, float* valueTarget, int slot)
    {
        for (int d = 0; d < layout.HeadDim; d++)
        {
            keyTarget[d * layout.BlockSize + slot] = key[d];
            valueTarget[slot * layout.HeadDim + d] = value[d];
        }
    }

    private void WriteBF16(float* key, float* value, ushort* keyTarget, ushort* valueTarget, int slot)
    {
        for (int d = 0; d < layout.HeadDim; d++)
        {
            keyTarget[d * layout.BlockSize + slot] = BFloat16.Round(key[d]);
            valueTarget[slot * layout.HeadDim + d] = BFloat16.Round(value[d]);
        }
    }
}
