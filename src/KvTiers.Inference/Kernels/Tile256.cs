using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace KvTiers.Inference.Kernels;

/// <summary>Up to 6 rows against half a panel: columns first to first + 7 and first + 16 to first + 23. AVX2 and FMA.</summary>
internal static unsafe class Tile256
{
    /// <summary>Multiplies half a tile: every output is one chain of fused multiply-adds over the inputs in order.</summary>
    /// <param name="panel">[inputs] panel rows.</param>
    /// <param name="first">0 or 8.</param>
    /// <param name="input">[rows, stride], of which the first <paramref name="inputs"/> of each row count.</param>
    /// <param name="stride">Elements from row to row.</param>
    /// <param name="rows">Rows that there are: TRows.Count, or fewer (<see cref="TileRows"/>).</param>
    /// <param name="inputs">Length of the chains.</param>
    /// <param name="output">[TRows.Count, 32].</param>
    /// <param name="ahead">Bytes from each panel row to what is asked for with it.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Multiply<TWeights, TRows>(byte* panel, int first, float* input, nint stride, int rows, int inputs, float* output, nint ahead)
        where TWeights : struct, IPanelWeights
        where TRows : struct, IRows
    {
        output += first;
        float* row0 = input + stride * TileRows.First(0, TRows.Count, rows), row3 = input;
        if (TRows.Count > 3)
            row3 = input + stride * TileRows.First(3, TRows.Count, rows);
        nint twice = 2 * stride;
        Vector256<float> low0 = Vector256<float>.Zero, high0 = Vector256<float>.Zero;
        Vector256<float> low1 = Vector256<float>.Zero, high1 = Vector256<float>.Zero;
        Vector256<float> low2 = Vector256<float>.Zero, high2 = Vector256<float>.Zero;
        Vector256<float> low3 = Vector256<float>.Zero, high3 = Vector256<float>.Zero;
        Vector256<float> low4 = Vector256<float>.Zero, high4 = Vector256<float>.Zero;
        Vector256<float> low5 = Vector256<float>.Zero, high5 = Vector256<float>.Zero;
        for (int k = 0; k < inputs; k++)
        {
            if (first == 0)
                TWeights.Bring(panel + ahead);
            TWeights.Load(panel, first, out Vector256<float> low, out Vector256<float> high);
            Vector256<float> x = Vector256.Create(row0[0]);
            low0 = Fma.MultiplyAdd(x, low, low0);
            high0 = Fma.MultiplyAdd(x, high, high0);
            if (TRows.Count > 1)
            {
                x = Vector256.Create(row0[stride]);
                low1 = Fma.MultiplyAdd(x, low, low1);
                high1 = Fma.MultiplyAdd(x, high, high1);
            }
            if (TRows.Count > 2)
            {
                x = Vector256.Create(row0[twice]);
                low2 = Fma.MultiplyAdd(x, low, low2);
                high2 = Fma.MultiplyAdd(x, high, high2);
            }
            if (TRows.Count > 3)
            {
                x = Vector256.Create(row3[0]);
                low3 = Fma.MultiplyAdd(x, low, low3);
                high3 = Fma.MultiplyAdd(x, high, high3);
            }
            if (TRows.Count > 4)
            {
                x = Vector256.Create(row3[stride]);
                low4 = Fma.MultiplyAdd(x, low, low4);
                high4 = Fma.MultiplyAdd(x, high, high4);
            }
            if (TRows.Count > 5)
            {
                x = Vector256.Create(row3[twice]);
                low5 = Fma.MultiplyAdd(x, low, low5);
                high5 = Fma.MultiplyAdd(x, high, high5);
            }
            panel += TWeights.RowBytes;
            row0++;
            if (TRows.Count > 3)
                row3++;
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
    }
}
