using System.Runtime.CompilerServices;

namespace KvTiers.Inference.Kernels;

/// <summary>The kernels of 8-bit weights. They need no sums of inputs.</summary>
internal readonly unsafe struct Int8Tiles<TScales> : IIntegerTiles
    where TScales : struct, IPanelScales
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Multiply512<TRows>(byte* panel, int* input, int* sums, int inputs, float* output, nint ahead)
        where TRows : struct, IRows => TileInt8x512.Multiply<TScales, TRows>(panel, input, inputs, output, ahead);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Multiply256<TRows>(byte* panel, int first, int* input, int* sums, int stride, int inputs, float* output, nint ahead)
        where TRows : struct, IRows => TileInt8x256.Multiply<TScales, TRows>(panel, first, input, stride, inputs, output, ahead);

    public static void MultiplyPlain(byte* panel, int* input, int* sums, int rows, int inputs, float* output) =>
        TileInt8Plain.Multiply<TScales>(panel, input, rows, inputs, output);
}
