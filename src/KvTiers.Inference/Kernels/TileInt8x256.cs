using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace KvTiers.Inference.Kernels;

/// <summary>Up to 6 quantised rows against half a panel of 8-bit weights: columns 0–15 or 16–31. AVX2 and FMA.</summary>
internal static unsafe class TileInt8x256
{
    /// <summary>Multiplies half a tile, with the result of <see cref="TileInt8Plain.Multiply"/>.</summary>
    /// <param name="panel">A panel as <see cref="PanelInt8"/> lays it out.</param>
    /// <param name="first">0 or 16.</param>
    /// <param name="input">The first of TRows.Count neighbours in [pairs, stride]: two 16-bit inputs in each.</param>
    /// <param name="stride">Rows of the whole packed tile.</param>
    /// <param name="inputs">Elements of a row.</param>
    /// <param name="output">[TRows.Count, 32].</param>
    /// <param name="ahead">Bytes from each panel row to what is asked for with it.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Multiply<TScales, TRows>(byte* panel, int first, int* input, int stride, int inputs, float* output, nint ahead)
        where TScales : struct, IPanelScales
        where TRows : struct, IRows
    {
        output += first;
        for (int row = 0; row < TRows.Count; row++)
        {
            Vector256<float>.Zero.Store(output + row * PackedMatrix.PanelWidth);
            Vector256<float>.Zero.Store(output + row * PackedMatrix.PanelWidth + 8);
        }
        for (int pairs = PanelInt8.Pairs(inputs); pairs > 0; pairs -= TScales.GroupInputs / 2)
        {
            Vector256<float> lowScale = TScales.Load(panel, first != 0), highScale = TScales.Load(panel + 32, first != 0);
            panel += PanelInt8.ScaleBytes;
            Vector256<int> low0 = Vector256<int>.Zero, high0 = Vector256<int>.Zero;
            Vector256<int> low1 = Vector256<int>.Zero, high1 = Vector256<int>.Zero;
            Vector256<int> low2 = Vector256<int>.Zero, high2 = Vector256<int>.Zero;
            Vector256<int> low3 = Vector256<int>.Zero, high3 = Vector256<int>.Zero;
            Vector256<int> low4 = Vector256<int>.Zero, high4 = Vector256<int>.Zero;
            Vector256<int> low5 = Vector256<int>.Zero, high5 = Vector256<int>.Zero;
            for (int pair = Math.Min(pairs, TScales.GroupInputs / 2); pair > 0; pair--)
            {
                if (first == 0)
                    Sse.Prefetch0(panel + ahead);
                Vector256<short> low = Avx2.ConvertToVector256Int16(Vector128.Load((sbyte*)panel + 2 * first));
                Vector256<short> high = Avx2.ConvertToVector256Int16(Vector128.Load((sbyte*)panel + 2 * first + 16));
                Vector256<short> x = Vector256.Create(input[0]).AsInt16();
                low0 += Avx2.MultiplyAddAdjacent(x, low);
                high0 += Avx2.MultiplyAddAdjacent(x, high);
                if (TRows.Count > 1)
                {
                    x = Vector256.Create(input[1]).AsInt16();
                    low1 += Avx2.MultiplyAddAdjacent(x, low);
                    high1 += Avx2.MultiplyAddAdjacent(x, high);
                }
                if (TRows.Count > 2)
                {
                    x = Vector256.Create(input[2]).AsInt16();
                    low2 += Avx2.MultiplyAddAdjacent(x, low);
                    high2 += Avx2.MultiplyAddAdjacent(x, high);
                }
                if (TRows.Count > 3)
                {
                    x = Vector256.Create(input[3]).AsInt16();
                    low3 += Avx2.MultiplyAddAdjacent(x, low);
                    high3 += Avx2.MultiplyAddAdjacent(x, high);
                }
                if (TRows.Count > 4)
                {
                    x = Vector256.Create(input[4]).AsInt16();
                    low4 += Avx2.MultiplyAddAdjacent(x, low);
                    high4 += Avx2.MultiplyAddAdjacent(x, high);
                }
                if (TRows.Count > 5)
                {
                    x = Vector256.Create(input[5]).AsInt16();
                    low5 += Avx2.MultiplyAddAdjacent(x, low);
                    high5 += Avx2.MultiplyAddAdjacent(x, high);
                }
                panel += PanelInt8.PairBytes;
                input += stride;
            }
            Fold(low0, high0, lowScale, highScale, output);
            if (TRows.Count > 1)
                Fold(low1, high1, lowScale, highScale, output + 32);
            if (TRows.Count > 2)
                Fold(low2, high2, lowScale, highScale, output + 64);
            if (TRows.Count > 3)
                Fold(low3, high3, lowScale, highScale, output + 96);
            if (TRows.Count > 4)
                Fold(low4, high4, lowScale, highScale, output + 128);
            if (TRows.Count > 5)
                Fold(low5, high5, lowScale, highScale, output + 160);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Fold(Vector256<int> low, Vector256<int> high, Vector256<float> lowScale, Vector256<float> highScale, float* sums)
    {
        Fma.MultiplyAdd(Avx.ConvertToVector256Single(low), lowScale, Vector256.Load(sums)).Store(sums);
        Fma.MultiplyAdd(Avx.ConvertToVector256Single(high), highScale, Vector256.Load(sums + 8)).Store(sums + 8);
    }
}
