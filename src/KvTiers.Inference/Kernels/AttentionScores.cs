using System.Runtime.CompilerServices;

namespace KvTiers.Inference.Kernels;

/// <summary>Up to four queries against the keys of four blocks: 64 scores each. Every score is one chain over the head's elements in order.</summary>
internal static unsafe class AttentionScores
{
    /// <summary>Scores queries against four blocks.</summary>
    /// <param name="queries">TQueries.Count pointers to [headDim].</param>
    /// <param name="keys">Four pointers to K of a block, [headDim][16].</param>
    /// <param name="headDim">Elements of a head.</param>
    /// <param name="scale">Factor on every finished score.</param>
    /// <param name="scores">[TQueries.Count, stride], of which the first 64 of each row are written.</param>
    /// <param name="stride">Elements from row to row of the scores.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run<TLanes, TElements, TQueries>(
        float** queries, byte** keys, int headDim, float scale, float* scores, int stride)
        where TLanes : struct, ILanes<TLanes>
        where TElements : struct, IKvElements
        where TQueries : struct, IRows
    {
        byte* key0 = keys[0], key1 = keys[1], key2 = keys[2], key3 = keys[3];
        float* query0 = queries[0];
        float* query1 = TQueries.Count > 1 ? queries[1] : null;
        float* query2 = TQueries.Count > 2 ? queries[2] : null;
        float* query3 = TQueries.Count > 3 ? queries[3] : null;
        TLanes s00 = TLanes.Zero, s01 = TLanes.Zero, s02 = TLanes.Zero, s03 = TLanes.Zero;
        TLanes s10 = TLanes.Zero, s11 = TLanes.Zero, s12 = TLanes.Zero, s13 = TLanes.Zero;
        TLanes s20 = TLanes.Zero, s21 = TLanes.Zero, s22 = TLanes.Zero, s23 = TLanes.Zero;
        TLanes s30 = TLanes.Zero, s31 = TLanes.Zero, s32 = TLanes.Zero, s33 = TLanes.Zero;
        for (int d = 0; d < headDim; d++)
        {
            TLanes k0 = TElements.Load<TLanes>(key0);
            TLanes k1 = TElements.Load<TLanes>(key1);
            TLanes k2 = TElements.Load<TLanes>(key2);
            TLanes k3 = TElements.Load<TLanes>(key3);
            TLanes x = TLanes.Broadcast(query0[d]);
            s00 = TLanes.Fma(x, k0, s00);
            s01 = TLanes.Fma(x, k1, s01);
            s02 = TLanes.Fma(x, k2, s02);
            s03 = TLanes.Fma(x, k3, s03);
            if (TQueries.Count > 1)
            {
                x = TLanes.Broadcast(query1[d]);
                s10 = TLanes.Fma(x, k0, s10);
                s11 = TLanes.Fma(x, k1, s11);
                s12 = TLanes.Fma(x, k2, s12);
                s13 = TLanes.Fma(x, k3, s13);
            }
            if (TQueries.Count > 2)
            {
                x = TLanes.Broadcast(query2[d]);
                s20 = TLanes.Fma(x, k0, s20);
                s21 = TLanes.Fma(x, k1, s21);
                s22 = TLanes.Fma(x, k2, s22);
                s23 = TLanes.Fma(x, k3, s23);
            }
            if (TQueries.Count > 3)
            {
                x = TLanes.Broadcast(query3[d]);
                s30 = TLanes.Fma(x, k0, s30);
                s31 = TLanes.Fma(x, k1, s31);
                s32 = TLanes.Fma(x, k2, s32);
                s33 = TLanes.Fma(x, k3, s33);
            }
            key0 += 16 * TElements.Bytes;
            key1 += 16 * TElements.Bytes;
            key2 += 16 * TElements.Bytes;
            key3 += 16 * TElements.Bytes;
        }
        TLanes factor = TLanes.Broadcast(scale);
        TLanes.Store(s00 * factor, scores);
        TLanes.Store(s01 * factor, scores + 16);
        TLanes.Store(s02 * factor, scores + 32);
        TLanes.Store(s03 * factor, scores + 48);
        if (TQueries.Count > 1)
        {
            TLanes.Store(s10 * factor, scores + stride);
            TLanes.Store(s11 * factor, scores + stride + 16);
            TLanes.Store(s12 * factor, scores + stride + 32);
            TLanes.Store(s13 * factor, scores + stride + 48);
        }
        if (TQueries.Count > 2)
        {
            TLanes.Store(s20 * factor, scores + 2 * stride);
            TLanes.Store(s21 * factor, scores + 2 * stride + 16);
            TLanes.Store(s22 * factor, scores + 2 * stride + 32);
            TLanes.Store(s23 * factor, scores + 2 * stride + 48);
        }
        if (TQueries.Count > 3)
        {
            TLanes.Store(s30 * factor, scores + 3 * stride);
            TLanes.Store(s31 * factor, scores + 3 * stride + 16);
            TLanes.Store(s32 * factor, scores + 3 * stride + 32);
            TLanes.Store(s33 * factor, scores + 3 * stride + 48);
        }
    }
}
