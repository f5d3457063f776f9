using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace KvTiers.Inference.Kernels;

/// <summary>Scales in bfloat16, one per 64 inputs: a scale of any weights.</summary>
internal readonly unsafe struct PanelScalesBF16 : IPanelScales
{
    public static int GroupInputs => 64;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Load(byte* words, out Vector512<float> low, out Vector512<float> high) => PanelWeightsBF16.Load(words, out low, out high);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Load(byte* words, bool upper)
    {
        Vector256<uint> pairs = Vector256.Load((uint*)words);
        return (upper ? pairs & Vector256.Create(0xFFFF0000u) : Vector256.ShiftLeft(pairs, 16)).AsSingle();
    }

    public static float Widen(ushort bits) => BFloat16.Widen(bits);

    public static ushort Round(float value) => BFloat16.Round(value);
}
