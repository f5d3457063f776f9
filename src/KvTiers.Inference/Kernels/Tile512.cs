using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace KvTiers.Inference.Kernels;

/// <summary>Up to 12 rows against one panel of 32 outputs, all 24 accumulators in registers. AVX-512.</summary>
internal static unsafe class Tile512
{
    /// <summary>Multiplies a tile: every output is one chain of fused multiply-adds over the inputs in order.</summary>
    /// <param name="panel">[inputs] panel rows.</param>
    /// <param name="input">[rows, stride], of which the first <paramref name="inputs"/> of each row count.</param>
    /// <param name="stride">Elements from row to row.</param>
    /// <param name="rows">Rows that there are: TRows.Count, or fewer (<see cref="TileRows"/>).</param>
    /// <param name="inputs">Length of the chains.</param>
    /// <param name="output">[TRows.Count, 32].</param>
    /// <param name="ahead">Bytes from each panel row to what is asked for with it.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Multiply<TWeights, TRows>(byte* panel, float* input, nint stride, int rows, int inputs, float* output, nint ahead)
        where TWeights : struct, IPanelWeights
        where TRows : struct, IRows
    {
        float* row0 = input, row3 = input, row6 = input, row9 = input;
        if (TRows.Count > 3)
            row3 = input + stride * TileRows.First(3, TRows.Count, rows);
        if (TRows.Count > 6)
            row6 = input + stride * TileRows.First(6, TRows.Count, rows);
        if (TRows.Count > 9)
            row9 = input + stride * TileRows.First(9, TRows.Count, rows);
        nint twice = 2 * stride;
        Vector512<float> low0 = Vector512<float>.Zero, high0 = Vector512<float>.Zero;
        Vector512<float> low1 = Vector512<float>.Zero, high1 = Vector512<float>.Zero;
        Vector512<float> low2 = Vector512<float>.Zero, high2 = Vector512<float>.Zero;
        Vector512<float> low3 = Vector512<float>.Zero, high3 = Vector512<float>.Zero;
        Vector512<float> low4 = Vector512<float>.Zero, high4 = Vector512<float>.Zero;
        Vector512<float> low5 = Vector512<float>.Zero, high5 = Vector512<float>.Zero;
        Vector512<float> low6 = Vector512<float>.Zero, high6 = Vector512<float>.Zero;
        Vector512<float> low7 = Vector512<float>.Zero, high7 = Vector512<float>.Zero;
        Vector512<float> low8 = Vector512<float>.Zero, high8 = Vector512<float>.Zero;
        Vector512<float> low9 = Vector512<float>.Zero, high9 = Vector512<float>.Zero;
        Vector512<float> low10 = Vector512<float>.Zero, high10 = Vector512<float>.Zero;
        Vector512<float> low11 = Vector512<float>.Zero, high11 = Vector512<float>.Zero;
        for (int k = 0; k < inputs; k++)
        {
            TWeights.Bring(panel + ahead);
            TWeights.Load(panel, out Vector512<float> low, out Vector512<float> high);
            Vector512<float> x = Vector512.Create(row0[0]);
            low0 = Avx512F.FusedMultiplyAdd(x, low, low0);
            high0 = Avx512F.FusedMultiplyAdd(x, high, high0);
            if (TRows.Count > 1)
            {
                x = Vector512.Create(row0[stride]);
                low1 = Avx512F.FusedMultiplyAdd(x, low, low1);
                high1 = Avx512F.FusedMultiplyAdd(x, high, high1);
            }
            if (TRows.Count > 2)
            {
                x = Vector512.Create(row0[twice]);
                low2 = Avx512F.FusedMultiplyAdd(x, low, low2);
                high2 = Avx512F.FusedMultiplyAdd(x, high, high2);
            }
            if (TRows.Count > 3)
            {
                x = Vector512.Create(row3[0]);
                low3 = Avx512F.FusedMultiplyAdd(x, low, low3);
                high3 = Avx512F.FusedMultiplyAdd(x, high, high3);
            }
            if (TRows.Count > 4)
            {
                x = Vector512.Create(row3[stride]);
                low4 = Avx512F.FusedMultiplyAdd(x, low, low4);
                high4 = Avx512F.FusedMultiplyAdd(x, high, high4);
            }
            if (TRows.Count > 5)
            {
                x = Vector512.Create(row3[twice]);
                low5 = Avx512F.FusedMultiplyAdd(x, low, low5);
                high5 = Avx512F.FusedMultiplyAdd(x, high, high5);
            }
            if (TRows.Count > 6)
            {
                x = Vector512.Create(row6[0]);
                low6 = Avx512F.FusedMultiplyAdd(x, low, low6);
                high6 = Avx512F.FusedMultiplyAdd(x, high, high6);
            }
            if (TRows.Count > 7)
            {
                x = Vector512.Create(row6[stride]);
                low7 = Avx512F.FusedMultiplyAdd(x, low, low7);
                high7 = Avx512F.FusedMultiplyAdd(x, high, high7);
            }
            if (TRows.Count > 8)
            {
                x = Vector512.Create(row6[twice]);
                low8 = Avx512F.FusedMultiplyAdd(x, low, low8);
                high8 = Avx512F.FusedMultiplyAdd(x, high, high8);
            }
            if (TRows.Count > 9)
            {
                x = Vector512.Create(row9[0]);
                low9 = Avx512F.FusedMultiplyAdd(x, low, low9);
                high9 = Avx512F.FusedMultiplyAdd(x, high, high9);
            }
            if (TRows.Count > 10)
            {
                x = Vector512.Create(row9[stride]);
                low10 = Avx512F.FusedMultiplyAdd(x, low, low10);
                high10 = Avx512F.FusedMultiplyAdd(x, high, high10);
            }
            if (TRows.Count > 11)
            {
                x = Vector512.Create(row9[twice]);
                low11 = Avx512F.FusedMultiplyAdd(x, low, low11);
                high11 = Avx512F.FusedMultiplyAdd(x, high, high11);
            }
            panel += TWeights.RowBytes;
            row0++;
            if (TRows.Count > 3)
                row3++;
            if (TRows.Count > 6)
                row6++;
            if (TRows.Count > 9)
                row9++;
        }
        low0.Store(output);
        high0.Store(output + 16);
        if (TRows.Count > 1)
        {
            low1.Store(output + 32);
            high1.Store(output + 48);
        }
        if (TRows.Count > 2)
        {
            low2.Store(output + 64);
            high2.Store(output + 80);
        }
        if (TRows.Count > 3)
        {
            low3.Store(output + 96);
            high3.Store(output + 112);
        }
        if (TRows.Count > 4)
        {
            low4.Store(output + 128);
            high4.Store(output + 144);
        }
        if (TRows.Count > 5)
        {
            low5.Store(output + 160);
            high5.Store(output + 176);
        }
        if (TRows.Count > 6)
        {
            low6.Store(output + 192);
            high6.Store(output + 208);
        }
        if (TRows.Count > 7)
        {
            low7.Store(output + 224);
            high7.Store(output + 240);
        }
        if (TRows.Count > 8)
        {
            low8.Store(output + 256);
            high8.Store(output + 272);
        }
        if (TRows.Count > 9)
        {
            low9.Store(output + 288);
            high9.Store(output + 304);
        }
        if (TRows.Count > 10)
        {
            low10.Store(output + 320);
            high10.Store(output + 336);
        }
        if (TRows.Count > 11)
        {
            low11.Store(output + 352);
            high11.Store(output + 368);
        }
    }
}
