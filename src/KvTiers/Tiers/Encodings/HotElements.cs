using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using KvTiers.Blocks;

namespace KvTiers.Tiers.Encodings;

/// <summary>Sixteen elements of the hot tier as floats, and back.</summary>
internal static unsafe class HotElements
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Load(KvFormat format, byte* block, long element) => format == KvFormat.F32
        ? Vector512.Load((float*)block + element)
        : (WidenUnsigned(Vector256.Load((ushort*)block + element)) << 16).AsSingle();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(KvFormat format, byte* block, long element, Vector512<float> values)
    {
        if (format == KvFormat.F32)
        {
            values.Store((float*)block + element);
        }
        else
        {
            RoundToBFloat16(values).Store((ushort*)block + element);
        }
    }

    /// <summary>To nearest, ties to even. A NaN stays a NaN.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<ushort> RoundToBFloat16(Vector512<float> values)
    {
        Vector512<uint> bits = values.AsUInt32();
        Vector512<uint> rounded = bits + Vector512.Create(0x7FFFu) + ((bits >> 16) & Vector512<uint>.One);
        Vector512<uint> nan = ~Vector512.Equals(values, values).AsUInt32();
        rounded = Vector512.ConditionalSelect(nan, bits | Vector512.Create(0x400000u), rounded) >> 16;
        return Vector256.Narrow(rounded.GetLower(), rounded.GetUpper());
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<uint> WidenUnsigned(Vector256<ushort> words) => Vector512.WidenLower(words.ToVector512Unsafe());
}
