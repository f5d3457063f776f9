using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace KvTiers.Tiers.Encodings;

/// <summary>Elements of the hot tier in one format, sixteen at a time as floats.</summary>
internal unsafe interface IHotElements
{
    static abstract Vector512<float> Load(byte* block, long element);

    static abstract void Store(byte* block, long element, Vector512<float> values);
}

/// <summary>32-bit floats.</summary>
internal readonly unsafe struct Float32Elements : IHotElements
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Load(byte* block, long element) => Vector512.Load((float*)block + element);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(byte* block, long element, Vector512<float> values) => values.Store((float*)block + element);
}

/// <summary>bfloat16: the upper half of a 32-bit float.</summary>
internal readonly unsafe struct BFloat16Elements : IHotElements
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Load(byte* block, long element)
    {
        Vector256<ushort> words = Vector256.Load((ushort*)block + element);
        return (Vector512.WidenLower(words.ToVector512Unsafe()) << 16).AsSingle();
    }

    /// <summary>Rounds to nearest, ties to even. A NaN stays a NaN.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(byte* block, long element, Vector512<float> values)
    {
        Vector512<uint> bits = values.AsUInt32();
        Vector512<uint> rounded = bits + Vector512.Create(0x7FFFu) + ((bits >> 16) & Vector512<uint>.One);
        Vector512<uint> nan = ~Vector512.Equals(values, values).AsUInt32();
        rounded = Vector512.ConditionalSelect(nan, bits | Vector512.Create(0x400000u), rounded) >> 16;
        Vector256<ushort> words = Avx512F.IsSupported
            ? Avx512F.ConvertToVector256UInt16(rounded)
            : Vector256.Narrow(rounded.GetLower(), rounded.GetUpper());
        words.Store((ushort*)block + element);
    }
}
