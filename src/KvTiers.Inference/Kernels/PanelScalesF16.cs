using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace KvTiers.Inference.Kernels;

/// <summary>
/// Finite scales in 16-bit floats of 5 exponent bits, one per 32 inputs: those of GGUF files. The bits are put where a 32-bit float has them, and a
/// power of two, exact for every one of them, makes up for the other bias of the exponent.
/// </summary>
internal readonly unsafe struct PanelScalesF16 : IPanelScales
{
    private const int MovedBits = 3;
    private const uint KeptBits = 0x8FFF_E000;
    private const float Bias = 5.192296858534828e33f; // 2^112.

    public static int GroupInputs => 32;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Load(byte* words, out Vector512<float> low, out Vector512<float> high)
    {
        Vector512<int> pairs = Vector512.Load((int*)words);
        Vector512<int> kept = Vector512.Create(KeptBits).AsInt32();
        Vector512<float> bias = Vector512.Create(Bias);
        low = (Vector512.ShiftRightArithmetic(Vector512.ShiftLeft(pairs, 16), MovedBits) & kept).AsSingle() * bias;
        high = (Vector512.ShiftRightArithmetic(pairs, MovedBits) & kept).AsSingle() * bias;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Load(byte* words, bool upper)
    {
        Vector256<int> pairs = Vector256.Load((int*)words);
        pairs = upper ? pairs : Vector256.ShiftLeft(pairs, 16);
        return (Vector256.ShiftRightArithmetic(pairs, MovedBits) & Vector256.Create(KeptBits).AsInt32()).AsSingle() * Vector256.Create(Bias);
    }

    public static float Widen(ushort bits) => (float)BitConverter.UInt16BitsToHalf(bits);

    public static ushort Round(float value) => BitConverter.HalfToUInt16Bits((Half)value);
}
