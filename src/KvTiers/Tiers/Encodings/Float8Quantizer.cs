using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace KvTiers.Tiers.Encodings;

/// <summary>
/// E4M3 without infinities (OCP 8-bit floating point, revision 1.0): bias 7, largest 448, subnormal step 2⁻⁹.
/// </summary>
internal readonly unsafe struct Float8Quantizer : IQuantizer
{
    private const float SmallestNormal = 1f / 64;
    private const float SubnormalSteps = 512;
    private const float BiasGap = 1.329227995784916e36f;

    public static float MaxMagnitude => 448;

    public static int BytesPerVector => 16;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Vector512<float> values, byte* destination)
    {
        Vector512<uint> bits = values.AsUInt32();
        Vector512<uint> sign = (bits >> 24) & Vector512.Create(0x80u);

        // The bits of magnitudes are in their order, a NaN above all.
        Vector512<float> magnitude = Vector512.Min(bits & Vector512.Create(0x7FFF_FFFFu), Vector512.Create(MaxMagnitude).AsUInt32()).AsSingle();

        // 20 of the 23 mantissa bits go, to nearest even; the exponent's bias falls from 127 to 7.
        Vector512<uint> whole = magnitude.AsUInt32();
        Vector512<uint> odd = (whole >> 20) & Vector512<uint>.One;
        Vector512<uint> normal = ((whole + Vector512.Create(0x7FFFFu) + odd) >> 20) - Vector512.Create(120u << 3);

        // Below the smallest normal the code is the count of steps; eight steps are the smallest normal's own code.
        Vector512<uint> subnormal = Vector512.ConvertToInt32(Vector512.Round(magnitude * SubnormalSteps)).AsUInt32();
        Vector512<uint> small = Vector512.LessThan(magnitude, Vector512.Create(SmallestNormal)).AsUInt32();
        Vector512<uint> code = Vector512.ConditionalSelect(small, subnormal, normal) | sign;

        if (Avx512F.IsSupported)
        {
            Avx512F.ConvertToVector128Byte(code).Store(destination);
            return;
        }

        Vector256<ushort> words = Vector256.Narrow(code.GetLower(), code.GetUpper());
        Vector128.Narrow(words.GetLower(), words.GetUpper()).Store(destination);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Load(byte* source)
    {
        Vector256<ushort> words = Vector256.WidenLower(Vector128.Load(source).ToVector256Unsafe());
        Vector512<uint> code = Vector512.WidenLower(words.ToVector512Unsafe());
        Vector512<uint> sign = (code & Vector512.Create(0x80u)) << 24;

        // Read with a float's bias of 127 the value is 2¹²⁰ too small, subnormals included.
        Vector512<float> magnitude = ((code & Vector512.Create(0x7Fu)) << 20).AsSingle() * Vector512.Create(BiasGap);
        return (magnitude.AsUInt32() | sign).AsSingle();
    }
}
