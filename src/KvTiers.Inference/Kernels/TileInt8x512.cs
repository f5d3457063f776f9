using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace KvTiers.Inference.Kernels;

/// <summary>Up to 12 quantised rows against one panel of 8-bit weights, all 24 integer accumulators in registers. AVX-512.</summary>
internal static unsafe class TileInt8x512
{
    /// <summary>Multiplies a tile, with the result of <see cref="TileInt8Plain.Multiply"/>.</summary>
    /// <param name="panel">A panel as <see cref="PanelInt8"/> lays it out.</param>
    /// <param name="input">[pairs, TRows.Count]: two 16-bit inputs in each.</param>
    /// <param name="inputs">Elements of a row.</param>
    /// <param name="output">[TRows.Count, 32].</param>
    /// <param name="ahead">Bytes from each panel row to what is asked for with it.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Multiply<TScales, TRows>(byte* panel, int* input, int inputs, float* output, nint ahead)
        where TScales : struct, IPanelScales
        where TRows : struct, IRows
    {
        for (int i = 0; i < TRows.Count * PackedMatrix.PanelWidth; i += 16)
            Vector512<float>.Zero.Store(output + i);
        for (int pairs = PanelInt8.Pairs(inputs); pairs > 0; pairs -= TScales.GroupInputs / 2)
        {
            TScales.Load(panel, out Vector512<float> lowScale, out Vector512<float> highScale);
            panel += PanelInt8.ScaleBytes;
            Vector512<int> low0 = Vector512<int>.Zero, high0 = Vector512<int>.Zero;
            Vector512<int> low1 = Vector512<int>.Zero, high1 = Vector512<int>.Zero;
            Vector512<int> low2 = Vector512<int>.Zero, high2 = Vector512<int>.Zero;
            Vector512<int> low3 = Vector512<int>.Zero, high3 = Vector512<int>.Zero;
            Vector512<int> low4 = Vector512<int>.Zero, high4 = Vector512<int>.Zero;
            Vector512<int> low5 = Vector512<int>.Zero, high5 = Vector512<int>.Zero;
            Vector512<int> low6 = Vector512<int>.Zero, high6 = Vector512<int>.Zero;
            Vector512<int> low7 = Vector512<int>.Zero, high7 = Vector512<int>.Zero;
            Vector512<int> low8 = Vector512<int>.Zero, high8 = Vector512<int>.Zero;
            Vector512<int> low9 = Vector512<int>.Zero, high9 = Vector512<int>.Zero;
            Vector512<int> low10 = Vector512<int>.Zero, high10 = Vector512<int>.Zero;
            Vector512<int> low11 = Vector512<int>.Zero, high11 = Vector512<int>.Zero;
            for (int pair = Math.Min(pairs, TScales.GroupInputs / 2); pair > 0; pair--)
            {
                Sse.Prefetch0(panel + ahead);
                Vector512<short> low = Avx512BW.ConvertToVector512Int16(Vector256.Load((sbyte*)panel));
                Vector512<short> high = Avx512BW.ConvertToVector512Int16(Vector256.Load((sbyte*)panel + 32));
                Vector512<short> x = Vector512.Create(input[0]).AsInt16();
                low0 += Avx512BW.MultiplyAddAdjacent(x, low);
                high0 += Avx512BW.MultiplyAddAdjacent(x, high);
                if (TRows.Count > 1)
                {
                    x = Vector512.Create(input[1]).AsInt16();
                    low1 += Avx512BW.MultiplyAddAdjacent(x, low);
                    high1 += Avx512BW.MultiplyAddAdjacent(x, high);
                }
                if (TRows.Count > 2)
                {
                    x = Vector512.Create(input[2]).AsInt16();
                    low2 += Avx512BW.MultiplyAddAdjacent(x, low);
                    high2 += Avx512BW.MultiplyAddAdjacent(x, high);
                }
                if (TRows.Count > 3)
                {
                    x = Vector512.Create(input[3]).AsInt16();
                    low3 += Avx512BW.MultiplyAddAdjacent(x, low);
                    high3 += Avx512BW.MultiplyAddAdjacent(x, high);
                }
                if (TRows.Count > 4)
                {
                    x = Vector512.Create(input[4]).AsInt16();
                    low4 += Avx512BW.MultiplyAddAdjacent(x, low);
                    high4 += Avx512BW.MultiplyAddAdjacent(x, high);
                }
                if (TRows.Count > 5)
                {
                    x = Vector512.Create(input[5]).AsInt16();
                    low5 += Avx512BW.MultiplyAddAdjacent(x, low);
                    high5 += Avx512BW.MultiplyAddAdjacent(x, high);
                }
                if (TRows.Count > 6)
                {
                    x = Vector512.Create(input[6]).AsInt16();
                    low6 += Avx512BW.MultiplyAddAdjacent(x, low);
                    high6 += Avx512BW.MultiplyAddAdjacent(x, high);
                }
                if (TRows.Count > 7)
                {
                    x = Vector512.Create(input[7]).AsInt16();
                    low7 += Avx512BW.MultiplyAddAdjacent(x, low);
                    high7 += Avx512BW.MultiplyAddAdjacent(x, high);
                }
                if (TRows.Count > 8)
                {
                    x = Vector512.Create(input[8]).AsInt16();
                    low8 += Avx512BW.MultiplyAddAdjacent(x, low);
                    high8 += Avx512BW.MultiplyAddAdjacent(x, high);
                }
                if (TRows.Count > 9)
                {
                    x = Vector512.Create(input[9]).AsInt16();
                    low9 += Avx512BW.MultiplyAddAdjacent(x, low);
                    high9 += Avx512BW.MultiplyAddAdjacent(x, high);
                }
                if (TRows.Count > 10)
                {
                    x = Vector512.Create(input[10]).AsInt16();
                    low10 += Avx512BW.MultiplyAddAdjacent(x, low);
                    high10 += Avx512BW.MultiplyAddAdjacent(x, high);
                }
                if (TRows.Count > 11)
                {
                    x = Vector512.Create(input[11]).AsInt16();
                    low11 += Avx512BW.MultiplyAddAdjacent(x, low);
                    high11 += Avx512BW.MultiplyAddAdjacent(x, high);
                }
                panel += PanelInt8.PairBytes;
                input += TRows.Count;
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
            if (TRows.Count > 6)
                Fold(low6, high6, lowScale, highScale, output + 192);
            if (TRows.Count > 7)
                Fold(low7, high7, lowScale, highScale, output + 224);
            if (TRows.Count > 8)
                Fold(low8, high8, lowScale, highScale, output + 256);
            if (TRows.Count > 9)
                Fold(low9, high9, lowScale, highScale, output + 288);
            if (TRows.Count > 10)
                Fold(low10, high10, lowScale, highScale, output + 320);
            if (TRows.Count > 11)
                Fold(low11, high11, lowScale, highScale, output + 352);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Fold(Vector512<int> low, Vector512<int> high, Vector512<float> lowScale, Vector512<float> highScale, float* sums)
    {
        Avx512F.FusedMultiplyAdd(Avx512F.ConvertToVector512Single(low), lowScale, Vector512.Load(sums)).Store(sums);
        Avx512F.FusedMultiplyAdd(Avx512F.ConvertToVector512Single(high), highScale, Vector512.Load(sums + 16)).Store(sums + 16);
    }
}
