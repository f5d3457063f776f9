using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace KvTiers.Inference.Kernels;

/// <summary>Panel rows of 16 words, each two bfloat16 values: a shift yields the lower column, a mask the upper.</summary>
internal readonly unsafe struct PanelWeightsBF16 : IPanelWeights
{
    public static int RowBytes => 64;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Bring(byte* row) => Sse.Prefetch0(row);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Load(byte* row, out Vector512<float> low, out Vector512<float> high)
    {
        Vector512<uint> words = Vector512.Load((uint*)row);
        low = Vector512.ShiftLeft(words, 16).AsSingle();
        high = (words & Vector512.Create(0xFFFF0000u)).AsSingle();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Load(byte* row, int first, out Vector256<float> low, out Vector256<float> high)
    {
        Vector256<uint> words = Vector256.Load((uint*)row + first);
        low = Vector256.ShiftLeft(words, 16).AsSingle();
        high = (words & Vector256.Create(0xFFFF0000u)).AsSingle();
    }

    public static float Load(byte* row, int column)
    {
        uint word = ((uint*)row)[column % 16];
        return BitConverter.UInt32BitsToSingle(column < 16 ? word << 16 : word & 0xFFFF0000u);
    }
}
