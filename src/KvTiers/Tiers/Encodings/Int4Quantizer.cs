using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace KvTiers.Tiers.Encodings;

/// <summary>Nibbles, −7..7 stored with an offset of 8. Byte i holds value i below and value i + 8 above.</summary>
internal readonly unsafe struct Int4Quantizer : IQuantizer
{
    public static float MaxMagnitude => 7;

    public static int BytesPerVector => 8;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Vector512<float> values, byte* destination)
    {
        Vector512<int> rounded = Vector512.ConvertToInt32(Vector512.Round(values));
        Vector512<int> nibbles = Vector512.Min(Vector512.Max(rounded, Vector512.Create(-7)), Vector512.Create(7)) + Vector512.Create(8);
        Vector256<int> pairs = nibbles.GetLower() | (nibbles.GetUpper() << 4);
        Vector128<ushort> words = Vector128.Narrow(pairs.GetLower().AsUInt32(), pairs.GetUpper().AsUInt32());
        *(ulong*)destination = Vector128.Narrow(words, words).AsUInt64().GetElement(0);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Load(byte* source)
    {
        Vector128<ushort> words = Vector128.WidenLower(Vector128.CreateScalarUnsafe(*(ulong*)source).AsByte());
        Vector256<uint> pairs = Vector256.WidenLower(words.ToVector256Unsafe());
        Vector512<int> nibbles = Vector512.Create(pairs & Vector256.Create(0xFu), pairs >> 4).AsInt32();
        return Vector512.ConvertToSingle(nibbles - Vector512.Create(8));
    }
}
