using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace KvTiers.Tiers.Encodings;

/// <summary>Signed bytes, −127..127.</summary>
internal readonly unsafe struct Int8Quantizer : IQuantizer
{
    public static float MaxMagnitude => 127;

    public static int BytesPerVector => 16;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Vector512<float> values, byte* destination)
    {
        Vector512<int> rounded = Vector512.ConvertToInt32(Vector512.Round(values));
        rounded = Vector512.Min(Vector512.Max(rounded, Vector512.Create(-127)), Vector512.Create(127));
        if (Avx512F.IsSupported)
        {
            Avx512F.ConvertToVector128SByte(rounded).Store((sbyte*)destination);
            return;
        }

        Vector256<short> words = Vector256.Narrow(rounded.GetLower(), rounded.GetUpper());
        Vector128.Narrow(words.GetLower(), words.GetUpper()).Store((sbyte*)destination);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Load(byte* source)
    {
        Vector256<short> words = Vector256.WidenLower(Vector128.Load((sbyte*)source).ToVector256Unsafe());
        return Vector512.ConvertToSingle(Vector512.WidenLower(words.ToVector512Unsafe()));
    }
}
