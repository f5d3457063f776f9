namespace KvTiers.Inference.Kernels;

/// <content>The weighted sum of the values of a chunk.</content>
internal sealed unsafe partial class PagedAttention
{
    private void SumValues<TLanes, TElements>(in Scratch scratch, int count, byte** values, int first, int last)
        where TLanes : struct, ILanes<TLanes>
        where TElements : struct, IKvElements
    {
        if (_layout.HeadDim == _paddedDim)
        {
            SumWhole<TLanes, TElements>(scratch, count, values, _layout.HeadDim * TElements.Bytes, first, last);
            return;
        }

        // Rows of V that are no multiple of a vector are copied to rows that are.
        float* padded = scratch.Values;
        for (int token = first; token < last; token++)
        {
            byte* value = values[token / BlockSize] + token % BlockSize * _layout.HeadDim * TElements.Bytes;
            for (int d = 0; d < _layout.HeadDim; d++)
                padded[token * _paddedDim + d] = TElements.Bytes == sizeof(float) ? ((float*)value)[d] : BFloat16.Widen(((ushort*)value)[d]);
        }
        byte** rows = stackalloc byte*[ChunkBlocks];
        for (int block = 0; block < ChunkBlocks; block++)
            rows[block] = (byte*)(padded + block * BlockSize * _paddedDim);
        SumWhole<TLanes, KvElementsF32>(scratch, count, rows, _paddedDim * sizeof(float), first, last);
    }

    private void SumWhole<TLanes, TElements>(in Scratch scratch, int count, byte** values, int rowBytes, int first, int last)
        where TLanes : struct, ILanes<TLanes>
        where TElements : struct, IKvElements
    {
        // As many sums at a time as there are registers for.
        int step = TLanes.Registers == 1 ? 4 : 2, widest = TLanes.Registers == 1 ? 64 : 32;
        for (int i = 0; i < count; i += step)
        {
            float* weights = scratch.Scores + i * ChunkTokens;
            int queries = Math.Min(step, count - i);
            for (int offset = 0; offset < _paddedDim;)
            {
                float* sums = scratch.ChunkSums + i * _paddedDim + offset;
                int width = Math.Min(widest, _paddedDim - offset);
                if (width >= 64)
                {
                    SumVectors<TLanes, TElements, Rows4>(queries, weights, values, rowBytes, first, last, offset, sums);
                    offset += 64;
                }
                else if (width >= 32)
                {
                    SumVectors<TLanes, TElements, Rows2>(queries, weights, values, rowBytes, first, last, offset, sums);
                    offset += 32;
                }
                else
                {
                    SumVectors<TLanes, TElements, Rows1>(queries, weights, values, rowBytes, first, last, offset, sums);
                    offset += 16;
                }
            }
        }
    }

    private void SumVectors<TLanes, TElements, TVectors>(
        int count, float* weights, byte** values, int rowBytes, int first, int last, int offset, float* sums)
        where TLanes : struct, ILanes<TLanes>
        where TElements : struct, IKvElements
        where TVectors : struct, IRows
    {
        switch (count)
        {
            case 1:
                AttentionValues.Run<TLanes, TElements, Rows1, TVectors>(weights, ChunkTokens, values, rowBytes, first, last, offset, sums, _paddedDim);
                break;
            case 2:
                AttentionValues.Run<TLanes, TElements, Rows2, TVectors>(weights, ChunkTokens, values, rowBytes, first, last, offset, sums, _paddedDim);
                break;
            case 3:
                AttentionValues.Run<TLanes, TElements, Rows3, TVectors>(weights, ChunkTokens, values, rowBytes, first, last, offset, sums, _paddedDim);
                break;
            default:
                AttentionValues.Run<TLanes, TElements, Rows4, TVectors>(weights, ChunkTokens, values, rowBytes, first, last, offset, sums, _paddedDim);
                break;
        }
    }
}
