using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace KvTiers.Inference.Kernels;

/// <summary>Up to 12 quantised rows against one panel of 4-bit weights, all 24 integer accumulators in registers. AVX-512.</summary>
internal static unsafe class TileInt4x512
{
    /// <summary>Multiplies a tile, with the result of <see cref="TileInt4Plain.Multiply"/>.</summary>
    /// <param name="panel">A panel as <see cref="PanelInt4"/> lays it out.</param>
    /// <param name="input">[pairs, TRows.Count]: two 16-bit inputs in each, those beyond the last 0.</param>
    /// <param name="sums">[groups, TRows.Count]: each group's sum of inputs.</param>
    /// <param name="inputs">Elements of a row.</param>
    /// <param name="output">[TRows.Count, 32].</param>
    /// <param name="ahead">Bytes from each panel row to what is asked for with it.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Multiply<TGroups, TRows>(byte* panel, int* input, int* sums, int inputs, float* output, nint ahead)
        where TGroups : struct, IInt4Groups
        where TRows : struct, IRows
    {
        for (int i = 0; i < TRows.Count * PackedMatrix.PanelWidth; i += 16)
            Vector512<float>.Zero.Store(output + i);
        Vector512<ushort> mask = Vector512.Create((ushort)15);
        for (int pairs = PanelInt4.Pairs(inputs); pairs > 0; pairs -= PanelInt4.GroupPairs)
        {
            byte* header = panel;
            Sse.Prefetch0(panel + ahead);
            if (TGroups.HasLeast)
                Sse.Prefetch0(panel + ahead + PanelInt4.ScaleBytes);
            panel += PanelInt4.HeaderBytes<TGroups>();
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
            if (TGroups.Offset != 0)
            {
                low0 = high0 = Vector512.Create(TGroups.Offset * sums[0]);
                if (TRows.Count > 1)
                    low1 = high1 = Vector512.Create(TGroups.Offset * sums[1]);
                if (TRows.Count > 2)
                    low2 = high2 = Vector512.Create(TGroups.Offset * sums[2]);
                if (TRows.Count > 3)
                    low3 = high3 = Vector512.Create(TGroups.Offset * sums[3]);
                if (TRows.Count > 4)
                    low4 = high4 = Vector512.Create(TGroups.Offset * sums[4]);
                if (TRows.Count > 5)
                    low5 = high5 = Vector512.Create(TGroups.Offset * sums[5]);
                if (TRows.Count > 6)
                    low6 = high6 = Vector512.Create(TGroups.Offset * sums[6]);
                if (TRows.Count > 7)
                    low7 = high7 = Vector512.Create(TGroups.Offset * sums[7]);
                if (TRows.Count > 8)
                    low8 = high8 = Vector512.Create(TGroups.Offset * sums[8]);
                if (TRows.Count > 9)
                    low9 = high9 = Vector512.Create(TGroups.Offset * sums[9]);
                if (TRows.Count > 10)
                    low10 = high10 = Vector512.Create(TGroups.Offset * sums[10]);
                if (TRows.Count > 11)
                    low11 = high11 = Vector512.Create(TGroups.Offset * sums[11]);
            }
            for (int word = Math.Min(pairs, PanelInt4.GroupPairs) / PanelInt4.WordPairs; word > 0; word--)
            {
                Sse.Prefetch0(panel + ahead);
                Sse.Prefetch0(panel + ahead + 64);
                Vector512<ushort> lowWord = Vector512.Load((ushort*)panel), highWord = Vector512.Load((ushort*)panel + 32);
                panel += PanelInt4.WordBytes;
                for (int pair = 0; pair < PanelInt4.WordPairs; pair++)
                {
                    Vector512<short> low = (lowWord & mask).AsInt16(), high = (highWord & mask).AsInt16();
                    lowWord = Vector512.ShiftRightLogical(lowWord, 4);
                    highWord = Vector512.ShiftRightLogical(highWord, 4);
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
                    input += TRows.Count;
                }
            }
            PanelScalesF16.Load(header, out Vector512<float> lowScale, out Vector512<float> highScale);
            Vector512<float> lowLeast = default, highLeast = default;
            if (TGroups.HasLeast)
                PanelScalesF16.Load(header + PanelInt4.ScaleBytes, out lowLeast, out highLeast);
            Fold<TGroups>(low0, high0, lowScale, highScale, lowLeast, highLeast, sums[0], output);
            if (TRows.Count > 1)
                Fold<TGroups>(low1, high1, lowScale, highScale, lowLeast, highLeast, sums[1], output + 32);
            if (TRows.Count > 2)
                Fold<TGroups>(low2, high2, lowScale, highScale, lowLeast, highLeast, sums[2], output + 64);
            if (TRows.Count > 3)
                Fold<TGroups>(low3, high3, lowScale, highScale, lowLeast, highLeast, sums[3], output + 96);
            if (TRows.Count > 4)
                Fold<TGroups>(low4, high4, lowScale, highScale, lowLeast, highLeast, sums[4], output + 128);
            if (TRows.Count > 5)
                Fold<TGroups>(low5, high5, lowScale, highScale, lowLeast, highLeast, sums[5], output + 160);
            if (TRows.Count > 6)
                Fold<TGroups>(low6, high6, lowScale, highScale, lowLeast, highLeast, sums[6], output + 192);
            if (TRows.Count > 7)
                Fold<TGroups>(low7, high7, lowScale, highScale, lowLeast, highLeast, sums[7], output + 224);
            if (TRows.Count > 8)
                Fold<TGroups>(low8, high8, lowScale, highScale, lowLeast, highLeast, sums[8], output + 256);
            if (TRows.Count > 9)
                Fold<TGroups>(low9, high9, lowScale, highScale, lowLeast, highLeast, sums[9], output + 288);
            if (TRows.Count > 10)
                Fold<TGroups>(low10, high10, lowScale, highScale, lowLeast, highLeast, sums[10], output + 320);
            if (TRows.Count > 11)
                Fold<TGroups>(low11, high11, lowScale, highScale, lowLeast, highLeast, sums[11], output + 352);
            sums += TRows.Count;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Fold<TGroups>(
        Vector512<int> low, Vector512<int> high, Vector512<float> lowScale, Vector512<float> highScale, Vector512<float> lowLeast, Vector512<float> highLeast,
        int sum, float* target)
        where TGroups : struct, IInt4Groups
    {
        Vector512<float> lowSum = Avx512F.FusedMultiplyAdd(Avx512F.ConvertToVector512Single(low), lowScale, Vector512.Load(target));
        Vector512<float> highSum = Avx512F.FusedMultiplyAdd(Avx512F.ConvertToVector512Single(high), highScale, Vector512.Load(target + 16));
        if (TGroups.HasLeast)
        {
            Vector512<float> inputs = Vector512.Create((float)sum);
            lowSum = Avx512F.FusedMultiplyAdd(inputs, lowLeast, lowSum);
            highSum = Avx512F.FusedMultiplyAdd(inputs, highLeast, highSum);
        }
        lowSum.Store(target);
        highSum.Store(target + 16);
    }
}
