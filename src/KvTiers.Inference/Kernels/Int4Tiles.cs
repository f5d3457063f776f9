using System.Runtime.CompilerServices;

namespace KvTiers.Inference.Kernels;

/// <summary>The kernels of 4-bit weights.</summary>
internal readonly unsafe struct Int4Tiles<TGroups> : IIntegerTiles
    where TGroups : struct, IInt4Groups
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Multiply512<TRows>(byte* panel, int* input, int* sums, int inputs, float* output, nint ahead)
        where TRows : struct, IRows => TileInt4x512.Multiply<TGroups, TRows>(panel, input, sums, inputs, output, ahead);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Multiply256<TRows>(byte* panel, int first, int* input, int* sums, int stride, int inputs, float* output, nint ahead)
        where TRows : struct, IRows => TileInt4x256.Multiply<TGroups, TRows>(panel, first, input, sums, stride, inputs, output, ahead);

    public static void MultiplyPlain(byte* panel, int* input, int* sums, int rows, int inputs, float* output) =>
        TileInt4Plain.Multiply<TGroups>(panel, input, sums, rows, inputs, output);
}
