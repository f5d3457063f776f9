using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace KvTiers.Inference.Kernels;

/// <summary>Up to four queries against the keys of two or four blocks: up to 64 scores each. Every score is one chain over the head's elements in order.</summary>
internal static unsafe class AttentionScores
{
    /// <summary>Scores queries against blocks.</summary>
    /// <typeparam name="TLanes">Tokens of a block.</typeparam>
    /// <typeparam name="TElements">Format of K.</typeparam>
    /// <typeparam name="TQueries">Queries, 1 to 4.</typeparam>
    /// <typeparam name="TBlocks">Blocks, 2 or 4.</typeparam>
    /// <typeparam name="TAhead">1 brings what comes next nearer while it computes; 0 does not.</typeparam>
    /// <param name="queries">TQueries.Count pointers to [headDim].</param>
    /// <param name="keys">TBlocks.Count pointers to K of a block, [headDim][16].</param>
    /// <param name="nextKeys">Four pointers to the K that is read next.</param>
    /// <param name="values">Four pointers to the V of these blocks.</param>
    /// <param name="headDim">Elements of a head.</param>
    /// <param name="scale">Factor on every finished score.</param>
    /// <param name="scores">[TQueries.Count, stride], of which the first 16 · TBlocks.Count of each row are written.</param>
    /// <param name="stride">Elements from row to row of the scores.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run<TLanes, TElements, TQueries, TBlocks, TAhead>(
        float** queries, byte** keys, byte** nextKeys, byte** values, int headDim, float scale, float* scores, int stride)
        where TLanes : struct, ILanes<TLanes>
        where TElements : struct, IKvElements
        where TQueries : struct, IRows
        where TBlocks : struct, IRows
        where TAhead : struct, IRows
    {
        byte* key0 = keys[0], key1 = keys[1];
        byte* key2 = TBlocks.Count > 2 ? keys[2] : null, key3 = TBlocks.Count > 2 ? keys[3] : null;
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
            if (TAhead.Count > 0)
            {
                // Sixteen bfloat16 values are half a cache line: K and V take turns.
                int line = d * 16 * TElements.Bytes;
                if (TElements.Bytes == sizeof(float) || (d & 1) == 0)
                    Bring(values, line);
                if (TElements.Bytes == sizeof(float) || (d & 1) != 0)
                    Bring(nextKeys, line);
            }
            TLanes k0 = TElements.Load<TLanes>(key0);
            TLanes k1 = TElements.Load<TLanes>(key1);
            TLanes k2 = TBlocks.Count > 2 ? TElements.Load<TLanes>(key2) : TLanes.Zero;
            TLanes k3 = TBlocks.Count > 2 ? TElements.Load<TLanes>(key3) : TLanes.Zero;
            TLanes x = TLanes.Broadcast(query0[d]);
            s00 = TLanes.Fma(x, k0, s00);
            s01 = TLanes.Fma(x, k1, s01);
            if (TBlocks.Count > 2)
            {
                s02 = TLanes.Fma(x, k2, s02);
                s03 = TLanes.Fma(x, k3, s03);
            }
            if (TQueries.Count > 1)
            {
                x = TLanes.Broadcast(query1[d]);
                s10 = TLanes.Fma(x, k0, s10);
                s11 = TLanes.Fma(x, k1, s11);
                if (TBlocks.Count > 2)
                {
                    s12 = TLanes.Fma(x, k2, s12);
                    s13 = TLanes.Fma(x, k3, s13);
                }
            }
            if (TQueries.Count > 2)
            {
                x = TLanes.Broadcast(query2[d]);
                s20 = TLanes.Fma(x, k0, s20);
                s21 = TLanes.Fma(x, k1, s21);
                if (TBlocks.Count > 2)
                {
                    s22 = TLanes.Fma(x, k2, s22);
                    s23 = TLanes.Fma(x, k3, s23);
                }
            }
            if (TQueries.Count > 3)
            {
                x = TLanes.Broadcast(query3[d]);
                s30 = TLanes.Fma(x, k0, s30);
                s31 = TLanes.Fma(x, k1, s31);
                if (TBlocks.Count > 2)
                {
                    s32 = TLanes.Fma(x, k2, s32);
                    s33 = TLanes.Fma(x, k3, s33);
                }
            }
            key0 += 16 * TElements.Bytes;
            key1 += 16 * TElements.Bytes;
            key2 += 16 * TElements.Bytes;
            key3 += 16 * TElements.Bytes;
        }
        TLanes factor = TLanes.Broadcast(scale);
        Store<TLanes, TBlocks>(s00, s01, s02, s03, factor, scores);
        if (TQueries.Count > 1)
            Store<TLanes, TBlocks>(s10, s11, s12, s13, factor, scores + stride);
        if (TQueries.Count > 2)
            Store<TLanes, TBlocks>(s20, s21, s22, s23, factor, scores + 2 * stride);
        if (TQueries.Count > 3)
            Store<TLanes, TBlocks>(s30, s31, s32, s33, factor, scores + 3 * stride);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Bring(byte** pieces, int offset)
    {
        if (!Sse.IsSupported)
            return;
        Sse.Prefetch0(pieces[0] + offset);
        Sse.Prefetch0(pieces[1] + offset);
        Sse.Prefetch0(pieces[2] + offset);
        Sse.Prefetch0(pieces[3] + offset);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store<TLanes, TBlocks>(TLanes a, TLanes b, TLanes c, TLanes d, TLanes factor, float* scores)
        where TLanes : struct, ILanes<TLanes>
        where TBlocks : struct, IRows
    {
        TLanes.Store(a * factor, scores);
        TLanes.Store(b * factor, scores + 16);
        if (TBlocks.Count > 2)
        {
            TLanes.Store(c * factor, scores + 32);
            TLanes.Store(d * factor, scores + 48);
        }
    }
}
