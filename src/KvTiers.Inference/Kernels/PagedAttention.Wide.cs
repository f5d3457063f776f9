using System.Runtime.CompilerServices;

namespace KvTiers.Inference.Kernels;

/// <content>Many rows at a time: K and V of a chunk become floats once, and six queries at a time go over them.</content>
internal sealed unsafe partial class PagedAttention
{
    // Queries for which the floats are worth writing down.
    private const int LeastWideQueries = 12;
    private const int PanelTokens = 64;

    private bool IsWide(AttentionTile tile) => tile.RowCount > 1 && tile.RowCount * _group >= LeastWideQueries;

    private void PackQueries(in Scratch scratch, int count)
    {
        int headDim = _layout.HeadDim;
        for (int i = 0; i < count; i++)
            new ReadOnlySpan<float>(scratch.Queries[i], headDim).CopyTo(new Span<float>(scratch.Packed + i * headDim, headDim));
    }

    // What ComputeChunk yields.
    private void ComputeWideChunk<TLanes, TElements>(in Scratch scratch, AttentionTile tile, int head, int count, int start)
        where TLanes : struct, ILanes<TLanes>
        where TElements : struct, IKvElements
    {
        (int first, int last) = Seen(tile, 0, count - 1, start);
        WidenKeys<TLanes, TElements>(scratch.Keys, tile, head, start, first, last);
        WidenValues<TLanes, TElements>(scratch.Values, tile, head, start, first, last);
        for (int query = 0; query < count; query += PanelProduct.MostRows)
            ComputeQueries<TLanes>(scratch, tile, query, Math.Min(PanelProduct.MostRows, count - query), start);
    }

    // Tokens of a chunk that some of the queries see: from the first to before the last.
    private (int First, int Last) Seen(AttentionTile tile, int firstQuery, int lastQuery, int start) => (
        Math.Max(0, Math.Max(0, tile.Position + firstQuery / _group - _window + 1) - start),
        Math.Min(ChunkTokens, tile.Position + lastQuery / _group + 1 - start));

    private void ComputeQueries<TLanes>(in Scratch scratch, AttentionTile tile, int query, int count, int start)
        where TLanes : struct, ILanes<TLanes>
    {
        (int first, int last) = Seen(tile, query, query + count - 1, start);
        if (first >= last)
        {
            new Span<float>(scratch.ChunkTotal + query, count).Clear();
            return;
        }

        int headDim = _layout.HeadDim, end = (last + BlockSize - 1) & -BlockSize;
        float* scores = scratch.Scores;
        for (int token = first & -PanelTokens; token < end; token += PanelTokens)
        {
            PanelProduct.Run<TLanes>(
                scratch.Packed + query * headDim, headDim, count, scratch.Keys + token * headDim, PanelTokens,
                Math.Min(PanelTokens, end - token), headDim, _scale, scores + token, ChunkTokens);
        }
        Weigh<TLanes>(scratch, tile, query, count, scores, first, last, start);
        PanelProduct.Run<TLanes>(
            scores + first, ChunkTokens, count, scratch.Values + first * _paddedDim, _paddedDim,
            _paddedDim, last - first, 1, scratch.ChunkSums + query * _paddedDim, _paddedDim);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void WidenKeys<TLanes, TElements>(float* keys, AttentionTile tile, int head, int start, int first, int last)
        where TLanes : struct, ILanes<TLanes>
        where TElements : struct, IKvElements
    {
        int headDim = _layout.HeadDim;
        ReadOnlySpan<nint> addresses = tile.Table.Addresses;
        for (int token = first & -BlockSize; token < last; token += BlockSize)
        {
            byte* source = (byte*)addresses[(start + token) / BlockSize] + _layout.KeyOffset(_layer, head);
            float* target = keys + (token & -PanelTokens) * headDim + token % PanelTokens;
            for (int d = 0; d < headDim; d++, source += BlockSize * TElements.Bytes, target += PanelTokens)
                TLanes.Store(TElements.Load<TLanes>(source), target);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void WidenValues<TLanes, TElements>(float* values, AttentionTile tile, int head, int start, int first, int last)
        where TLanes : struct, ILanes<TLanes>
        where TElements : struct, IKvElements
    {
        int headDim = _layout.HeadDim, whole = headDim & -16, rowBytes = headDim * TElements.Bytes;
        ReadOnlySpan<nint> addresses = tile.Table.Addresses;
        for (int token = first; token < last;)
        {
            byte* source = (byte*)addresses[(start + token) / BlockSize] + _layout.ValueOffset(_layer, head) + token % BlockSize * rowBytes;
            float* target = values + token * _paddedDim;
            int end = Math.Min((token | (BlockSize - 1)) + 1, last);
            for (; token < end; token++, source += rowBytes, target += _paddedDim)
            {
                for (int d = 0; d < whole; d += 16)
                    TLanes.Store(TElements.Load<TLanes>(source + d * TElements.Bytes), target + d);
                for (int d = whole; d < headDim; d++)
                    target[d] = TElements.Bytes == sizeof(float) ? ((float*)source)[d] : BFloat16.Widen(((ushort*)source)[d]);
            }
        }
    }
}
