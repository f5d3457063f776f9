using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace KvTiers.Inference.Kernels;

/// <summary>Panel rows of 32 floats.</summary>
internal readonly unsafe struct PanelWeightsF32 : IPanelWeights
{
    public static int RowBytes => 128;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Bring(byte* row)
    {
        Sse.Prefetch0(row);
        Sse.Prefetch0(row + 64);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Load(byte* row, out Vector512<float> low, out Vector512<float> high)
    {
        low = Vector512.Load((float*)row);
        high = Vector512.Load((float*)row + 16);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Load(byte* row, int first, out Vector256<float> low, out Vector256<float> high)
    {
        low = Vector256.Load((float*)row + first);
        high = Vector256.Load((float*)row + first + 16);
    }

    public static float Load(byte* row, int column) => ((float*)row)[column];
}
