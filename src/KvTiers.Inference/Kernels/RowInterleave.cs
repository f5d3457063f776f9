using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace KvTiers.Inference.Kernels;

/// <summary>Lays rows side by side: the first word of each, then the second of each, and so on.</summary>
internal static unsafe class RowInterleave
{
    /// <summary>Copies <paramref name="rows"/> rows; the bits are not looked at.</summary>
    /// <param name="source">[rows, sourceStride], of which the first <paramref name="count"/> of each row are copied.</param>
    /// <param name="sourceStride">Words from row to row.</param>
    /// <param name="rows">Rows.</param>
    /// <param name="count">Words of a row.</param>
    /// <param name="target">[count, targetStride], of which the first <paramref name="rows"/> of each are written.</param>
    /// <param name="targetStride">Words from one to the next of the same row.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run(uint* source, long sourceStride, int rows, int count, uint* target, int targetStride)
    {
        int row = 0;
        for (; Sse2.IsSupported && row + 4 <= rows; row += 4, source += 4 * sourceStride, target += 4)
            Four(source, sourceStride, count, target, targetStride);
        for (; row < rows; row++, source += sourceStride, target++)
        {
            for (int k = 0; k < count; k++)
                target[(long)k * targetStride] = source[k];
        }
    }

    // A square of four by four at a time.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Four(uint* source, long stride, int count, uint* target, int targetStride)
    {
        uint* second = source + stride, third = second + stride, fourth = third + stride;
        int k = 0;
        for (; k + 4 <= count; k += 4, target += 4L * targetStride)
        {
            Vector128<uint> a = Vector128.Load(source + k), b = Vector128.Load(second + k);
            Vector128<uint> c = Vector128.Load(third + k), d = Vector128.Load(fourth + k);
            Vector128<ulong> lowAB = Sse2.UnpackLow(a, b).AsUInt64(), highAB = Sse2.UnpackHigh(a, b).AsUInt64();
            Vector128<ulong> lowCD = Sse2.UnpackLow(c, d).AsUInt64(), highCD = Sse2.UnpackHigh(c, d).AsUInt64();
            Sse2.UnpackLow(lowAB, lowCD).AsUInt32().Store(target);
            Sse2.UnpackHigh(lowAB, lowCD).AsUInt32().Store(target + targetStride);
            Sse2.UnpackLow(highAB, highCD).AsUInt32().Store(target + 2L * targetStride);
            Sse2.UnpackHigh(highAB, highCD).AsUInt32().Store(target + 3L * targetStride);
        }
        for (; k < count; k++, target += targetStride)
        {
            target[0] = source[k];
            target[1] = second[k];
            target[2] = third[k];
            target[3] = fourth[k];
        }
    }
}
