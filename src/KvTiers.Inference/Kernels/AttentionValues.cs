using System.Runtime.CompilerServices;

namespace KvTiers.Inference.Kernels;

/// <summary>
/// Up to four queries' weighted sums over the values of a chunk, up to 64 elements of a head at a time. Every sum is one chain over the
/// tokens in order, starting at 0; a weight of 0 leaves it as it is.
/// </summary>
internal static unsafe class AttentionValues
{
    /// <summary>Sums values.</summary>
    /// <param name="weights">[TQueries.Count, stride]: one weight per token of the chunk.</param>
    /// <param name="stride">Elements from row to row of the weights.</param>
    /// <param name="values">Per block of the chunk, a pointer to the first element of V that is wanted; rows of rowBytes.</param>
    /// <param name="rowBytes">Bytes from token to token of V.</param>
    /// <param name="first">The first token of the chunk that counts.</param>
    /// <param name="last">The first token of the chunk that counts no more.</param>
    /// <param name="offset">Elements to skip in V.</param>
    /// <param name="sums">[TQueries.Count, sumStride], of which 16 · TVectors.Count elements are written.</param>
    /// <param name="sumStride">Elements from row to row of the sums.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run<TLanes, TElements, TQueries, TVectors>(
        float* weights, int stride, byte** values, int rowBytes, int first, int last, int offset, float* sums, int sumStride)
        where TLanes : struct, ILanes<TLanes>
        where TElements : struct, IKvElements
        where TQueries : struct, IRows
        where TVectors : struct, IRows
    {
        TLanes s00 = TLanes.Zero, s01 = TLanes.Zero, s02 = TLanes.Zero, s03 = TLanes.Zero;
        TLanes s10 = TLanes.Zero, s11 = TLanes.Zero, s12 = TLanes.Zero, s13 = TLanes.Zero;
        TLanes s20 = TLanes.Zero, s21 = TLanes.Zero, s22 = TLanes.Zero, s23 = TLanes.Zero;
        TLanes s30 = TLanes.Zero, s31 = TLanes.Zero, s32 = TLanes.Zero, s33 = TLanes.Zero;
        float* weight0 = weights;
        float* weight1 = TQueries.Count > 1 ? weights + stride : weights;
        float* weight2 = TQueries.Count > 2 ? weights + 2 * stride : weights;
        float* weight3 = TQueries.Count > 3 ? weights + 3 * stride : weights;
        for (int token = first; token < last;)
        {
            int end = Math.Min((token | 15) + 1, last);
            byte* value = values[token / 16] + token % 16 * rowBytes + offset * TElements.Bytes;
            for (; token < end; token++, value += rowBytes)
            {
                TLanes v0 = TElements.Load<TLanes>(value);
                TLanes v1 = TVectors.Count > 1 ? TElements.Load<TLanes>(value + 16 * TElements.Bytes) : TLanes.Zero;
                TLanes v2 = TVectors.Count > 2 ? TElements.Load<TLanes>(value + 32 * TElements.Bytes) : TLanes.Zero;
                TLanes v3 = TVectors.Count > 3 ? TElements.Load<TLanes>(value + 48 * TElements.Bytes) : TLanes.Zero;
                TLanes w = TLanes.Broadcast(weight0[token]);
                s00 = TLanes.Fma(w, v0, s00);
                if (TVectors.Count > 1)
                    s01 = TLanes.Fma(w, v1, s01);
                if (TVectors.Count > 2)
                    s02 = TLanes.Fma(w, v2, s02);
                if (TVectors.Count > 3)
                    s03 = TLanes.Fma(w, v3, s03);
                if (TQueries.Count > 1)
                {
                    w = TLanes.Broadcast(weight1[token]);
                    s10 = TLanes.Fma(w, v0, s10);
                    if (TVectors.Count > 1)
                        s11 = TLanes.Fma(w, v1, s11);
                    if (TVectors.Count > 2)
                        s12 = TLanes.Fma(w, v2, s12);
                    if (TVectors.Count > 3)
                        s13 = TLanes.Fma(w, v3, s13);
                }
                if (TQueries.Count > 2)
                {
                    w = TLanes.Broadcast(weight2[token]);
                    s20 = TLanes.Fma(w, v0, s20);
                    if (TVectors.Count > 1)
                        s21 = TLanes.Fma(w, v1, s21);
                    if (TVectors.Count > 2)
                        s22 = TLanes.Fma(w, v2, s22);
                    if (TVectors.Count > 3)
                        s23 = TLanes.Fma(w, v3, s23);
                }
                if (TQueries.Count > 3)
                {
                    w = TLanes.Broadcast(weight3[token]);
                    s30 = TLanes.Fma(w, v0, s30);
                    if (TVectors.Count > 1)
                        s31 = TLanes.Fma(w, v1, s31);
                    if (TVectors.Count > 2)
                        s32 = TLanes.Fma(w, v2, s32);
                    if (TVectors.Count > 3)
                        s33 = TLanes.Fma(w, v3, s33);
                }
            }
        }
        TLanes.Store(s00, sums);
        if (TVectors.Count > 1)
            TLanes.Store(s01, sums + 16);
        if (TVectors.Count > 2)
            TLanes.Store(s02, sums + 32);
        if (TVectors.Count > 3)
            TLanes.Store(s03, sums + 48);
        if (TQueries.Count > 1)
        {
            TLanes.Store(s10, sums + sumStride);
            if (TVectors.Count > 1)
                TLanes.Store(s11, sums + sumStride + 16);
            if (TVectors.Count > 2)
                TLanes.Store(s12, sums + sumStride + 32);
            if (TVectors.Count > 3)
                TLanes.Store(s13, sums + sumStride + 48);
        }
        if (TQueries.Count > 2)
        {
            TLanes.Store(s20, sums + 2 * sumStride);
            if (TVectors.Count > 1)
                TLanes.Store(s21, sums + 2 * sumStride + 16);
            if (TVectors.Count > 2)
                TLanes.Store(s22, sums + 2 * sumStride + 32);
            if (TVectors.Count > 3)
                TLanes.Store(s23, sums + 2 * sumStride + 48);
        }
        if (TQueries.Count > 3)
        {
            TLanes.Store(s30, sums + 3 * sumStride);
            if (TVectors.Count > 1)
                TLanes.Store(s31, sums + 3 * sumStride + 16);
            if (TVectors.Count > 2)
                TLanes.Store(s32, sums + 3 * sumStride + 32);
            if (TVectors.Count > 3)
                TLanes.Store(s33, sums + 3 * sumStride + 48);
        }
    }
}
