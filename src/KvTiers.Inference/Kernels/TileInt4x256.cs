using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace KvTiers.Inference.Kernels;

/// <summary>Up to 6 quantised rows against half a panel of 4-bit weights: columns 0–15 or 16–31. AVX2 and FMA.</summary>
internal static unsafe class TileInt4x256
{
    /// <summary>Multiplies half a tile, with the result of <see cref="TileInt4Plain.Multiply"/>.</summary>
    /// <param name="panel">A panel as <see cref="PanelInt4"/> lays it out.</param>
    /// <param name="first">0 or 16.</param>
    /// <param name="input">The first of TRows.Count neighbours in [pairs, stride]: two 16-bit inputs in each, those beyond the last 0.</param>
    /// <param name="sums">The first of TRows.Count neighbours in [groups, stride]: each group's sum of inputs.</param>
    /// <param name="stride">Rows of the whole packed tile.</param>
    /// <param name="inputs">Elements of a row.</param>
    /// <param name="output">[TRows.Count, 32].</param>
    /// <param name="ahead">Bytes from each panel row to what is asked for with it.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Multiply<TGroups, TRows>(byte* panel, int first, int* input, int* sums, int stride, int inputs, float* output, nint ahead)
        where TGroups : struct, IInt4Groups
        where TRows : struct, IRows
    {
        output += first;
        for (int row = 0; row < TRows.Count; row++)
        {
            Vector256<float>.Zero.Store(output + row * PackedMatrix.PanelWidth);
            Vector256<float>.Zero.Store(output + row * PackedMatrix.PanelWidth + 8);
        }
        Vector256<ushort> mask = Vector256.Create((ushort)15);
        for (int pairs = PanelInt4.Pairs(inputs); pairs > 0; pairs -= PanelInt4.GroupPairs)
        {
            byte* header = panel;
            panel += PanelInt4.HeaderBytes<TGroups>();
            Vector256<int> low0 = Vector256<int>.Zero, high0 = Vector256<int>.Zero;
            Vector256<int> low1 = Vector256<int>.Zero, high1 = Vector256<int>.Zero;
            Vector256<int> low2 = Vector256<int>.Zero, high2 = Vector256<int>.Zero;
            Vector256<int> low3 = Vector256<int>.Zero, high3 = Vector256<int>.Zero;
            Vector256<int> low4 = Vector256<int>.Zero, high4 = Vector256<int>.Zero;
            Vector256<int> low5 = Vector256<int>.Zero, high5 = Vector256<int>.Zero;
            if (TGroups.Offset != 0)
            {
                low0 = high0 = Vector256.Create(TGroups.Offset * sums[0]);
                if (TRows.Count > 1)
                    low1 = high1 = Vector256.Create(TGroups.Offset * sums[1]);
                if (TRows.Count > 2)
                    low2 = high2 = Vector256.Create(TGroups.Offset * sums[2]);
                if (TRows.Count > 3)
                    low3 = high3 = Vector256.Create(TGroups.Offset * sums[3]);
                if (TRows.Count > 4)
                    low4 = high4 = Vector256.Create(TGroups.Offset * sums[4]);
                if (TRows.Count > 5)
                    low5 = high5 = Vector256.Create(TGroups.Offset * sums[5]);
            }
            for (int word = Math.Min(pairs, PanelInt4.GroupPairs) / PanelInt4.WordPairs; word > 0; word--)
            {
                Sse.Prefetch0(panel + first * 4 + ahead);
                Vector256<ushort> lowWord = Vector256.Load((ushort*)panel + 2 * first), highWord = Vector256.Load((ushort*)panel + 2 * first + 16);
                panel += PanelInt4.WordBytes;
                for (int pair = 0; pair < PanelInt4.WordPairs; pair++)
                {
                    Vector256<short> low = (lowWord & mask).AsInt16(), high = (highWord & mask).AsInt16();
                    lowWord = Vector256.ShiftRightLogical(lowWord, 4);
                    highWord = Vector256.ShiftRightLogical(highWord, 4);
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
                    input += stride;
                }
            }
            Vector256<float> lowScale = PanelScalesF16.Load(header, first != 0), highScale = PanelScalesF16.Load(header + 32, first != 0);
            Vector256<float> lowLeast = default, highLeast = default;
            if (TGroups.HasLeast)
            {
                lowLeast = PanelScalesF16.Load(header + PanelInt4.ScaleBytes, first != 0);
                highLeast = PanelScalesF16.Load(header + PanelInt4.ScaleBytes + 32, first != 0);
            }
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
            sums += stride;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Fold<TGroups>(
        Vector256<int> low, Vector256<int> high, Vector256<float> lowScale, Vector256<float> highScale, Vector256<float> lowLeast, Vector256<float> highLeast,
        int sum, float* target)
        where TGroups : struct, IInt4Groups
    {
        Vector256<float> lowSum = Fma.MultiplyAdd(Avx.ConvertToVector256Single(low), lowScale, Vector256.Load(target));
        Vector256<float> highSum = Fma.MultiplyAdd(Avx.ConvertToVector256Single(high), highScale, Vector256.Load(target + 8));
        if (TGroups.HasLeast)
        {
            Vector256<float> inputs = Vector256.Create((float)sum);
            lowSum = Fma.MultiplyAdd(inputs, lowLeast, lowSum);
            highSum = Fma.MultiplyAdd(inputs, highLeast, highSum);
        }
        lowSum.Store(target);
        highSum.Store(target + 8);
    }
}
