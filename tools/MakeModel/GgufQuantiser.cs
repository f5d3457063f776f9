using System.Buffers.Binary;

namespace KvTiers.MakeModel;

/// <summary>Rounds rows to the element types of GGUF files: simply, not as well as tools for users do.</summary>
public static class GgufQuantiser
{
    private delegate void Block(ReadOnlySpan<float> values, Span<byte> target);

    /// <summary>Elements of a block.</summary>
    public static int BlockElements(GgufType type) => type switch
    {
        GgufType.F32 or GgufType.F16 or GgufType.BF16 => 1,
        GgufType.Q4_K or GgufType.Q5_K or GgufType.Q6_K => 256,
        _ => 32,
    };

    /// <summary>Rounds whole blocks.</summary>
    /// <exception cref="ArgumentException">The values are not whole blocks.</exception>
    public static byte[] Encode(GgufType type, ReadOnlySpan<float> values)
    {
        (int bytes, Block block) = type switch
        {
            GgufType.F32 => (4, (Block)((source, target) => BinaryPrimitives.WriteSingleLittleEndian(target, source[0]))),
            GgufType.F16 => (2, (source, target) => BinaryPrimitives.WriteHalfLittleEndian(target, (Half)source[0])),
            GgufType.BF16 => (2, BF16),
            GgufType.Q8_0 => (34, Q8_0),
            GgufType.Q4_0 => (18, (source, target) => Symmetric(source, target, 8)),
            GgufType.Q5_0 => (22, (source, target) => Symmetric(source, target, 16)),
            GgufType.Q4_1 => (20, (source, target) => Affine(source, target, 15)),
            GgufType.Q5_1 => (24, (source, target) => Affine(source, target, 31)),
            GgufType.Q4_K => (144, (source, target) => Super(source, target, 15)),
            GgufType.Q5_K => (176, (source, target) => Super(source, target, 31)),
            _ => (210, Q6_K),
        };
        int elements = BlockElements(type);
        if (values.Length % elements != 0)
            throw new ArgumentException($"{values.Length} values are not whole blocks of {elements}.", nameof(values));
        byte[] encoded = new byte[values.Length / elements * bytes];
        for (int i = 0; i < values.Length / elements; i++)
            block(values.Slice(i * elements, elements), encoded.AsSpan(i * bytes, bytes));
        return encoded;
    }

    private static void BF16(ReadOnlySpan<float> source, Span<byte> target)
    {
        uint bits = BitConverter.SingleToUInt32Bits(source[0]);
        BinaryPrimitives.WriteUInt16LittleEndian(target, (ushort)((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16));
    }

    private static void Q8_0(ReadOnlySpan<float> source, Span<byte> target)
    {
        float scale = WriteHalf(target, Greatest(source) / 127);
        for (int i = 0; i < 32; i++)
            target[2 + i] = (byte)(sbyte)Rounded(source[i], scale, -127, 127);
    }

    private static void Symmetric(ReadOnlySpan<float> source, Span<byte> target, int zero)
    {
        float extreme = 0;
        foreach (float value in source)
            extreme = Math.Abs(value) > Math.Abs(extreme) ? value : extreme;
        float scale = WriteHalf(target, -extreme / zero);
        for (int i = 0; i < 32; i++)
            Small(target[2..], i, zero + Rounded(source[i], scale, -zero, zero - 1), hasFifth: zero == 16);
    }

    private static void Affine(ReadOnlySpan<float> source, Span<byte> target, int most)
    {
        (float least, float greatest) = Ends(source);
        float kept = WriteHalf(target[2..], least), scale = WriteHalf(target, (greatest - kept) / most);
        for (int i = 0; i < 32; i++)
            Small(target[4..], i, Rounded(source[i] - kept, scale, 0, most), hasFifth: most == 31);
    }

    // A block's fifth bits, if it has them, then its lower four.
    private static void Small(Span<byte> target, int i, int integer, bool hasFifth)
    {
        if (hasFifth)
            target[i / 8] |= (byte)(integer >> 4 << i % 8);
        target[(hasFifth ? 4 : 0) + i % 16] |= (byte)((integer & 15) << i / 16 * 4);
    }

    private static void Super(ReadOnlySpan<float> source, Span<byte> target, int most)
    {
        Span<float> scales = stackalloc float[8], least = stackalloc float[8];
        for (int group = 0; group < 8; group++)
        {
            (float from, float to) = Ends(source.Slice(group * 32, 32));
            least[group] = Math.Max(0, -from);
            scales[group] = (Math.Max(0, to) + least[group]) / most;
        }
        float scaleFactor = WriteHalf(target, Greatest(scales) / 63), leastFactor = WriteHalf(target[2..], Greatest(least) / 63);
        for (int group = 0; group < 8; group++)
        {
            int scale = Rounded(scales[group], scaleFactor, 0, 63), own = Rounded(least[group], leastFactor, 0, 63);
            if (group < 4)
            {
                target[4 + group] |= (byte)scale;
                target[8 + group] |= (byte)own;
            }
            else
            {
                target[8 + group] |= (byte)(scale & 15 | (own & 15) << 4);
                target[group] |= (byte)(scale >> 4 << 6);
                target[4 + group] |= (byte)(own >> 4 << 6);
            }
            for (int i = 0; i < 32; i++)
            {
                int integer = Rounded(source[group * 32 + i] + leastFactor * own, scaleFactor * scale, 0, most);
                target[(most == 31 ? 48 : 16) + group / 2 * 32 + i] |= (byte)((integer & 15) << group % 2 * 4);
                if (most == 31)
                    target[16 + i] |= (byte)(integer >> 4 << group);
            }
        }
    }

    private static void Q6_K(ReadOnlySpan<float> source, Span<byte> target)
    {
        Span<float> scales = stackalloc float[16];
        for (int group = 0; group < 16; group++)
            scales[group] = Greatest(source.Slice(group * 16, 16)) / 31;
        float factor = WriteHalf(target[208..], Greatest(scales) / 127);
        for (int i = 0; i < 256; i++)
        {
            int scale = Rounded(scales[i / 16], factor, 0, 127), integer = 32 + Rounded(source[i], factor * scale, -32, 31);
            target[192 + i / 16] = (byte)scale;
            int half = i / 128, run = i % 128 / 32, column = i % 32;
            target[half * 64 + run % 2 * 32 + column] |= (byte)((integer & 15) << run / 2 * 4);
            target[128 + half * 32 + column] |= (byte)(integer >> 4 << run * 2);
        }
    }

    private static int Rounded(float value, float scale, int least, int most) =>
        scale == 0 ? 0 : (int)Math.Clamp(MathF.Round(value / scale), least, most);

    private static float WriteHalf(Span<byte> target, float value)
    {
        BinaryPrimitives.WriteHalfLittleEndian(target, (Half)value);
        return (float)(Half)value;
    }

    private static float Greatest(ReadOnlySpan<float> values)
    {
        float greatest = 0;
        foreach (float value in values)
            greatest = Math.Max(greatest, Math.Abs(value));
        return greatest;
    }

    private static (float Least, float Greatest) Ends(ReadOnlySpan<float> values)
    {
        float least = values[0], greatest = values[0];
        foreach (float value in values)
        {
            least = Math.Min(least, value);
            greatest = Math.Max(greatest, value);
        }
        return (least, greatest);
    }
}
