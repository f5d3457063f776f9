using KvTiers.Inference.Kernels;

namespace KvTiers.Inference.Model.Gguf;

/// <summary>32 weights: scale, then 16 bytes as those of <see cref="GgufQ4_0"/>, whose 4 bits choose one of 16 integers: scale · integer.</summary>
/// <param name="name">IQ4_NL or MXFP4.</param>
/// <param name="blockBytes">Bytes of a block.</param>
/// <param name="isExponent">The scale is one byte, half of 2^(byte − 127); else F16.</param>
/// <param name="integers">[16].</param>
internal sealed unsafe class GgufTable(string name, int blockBytes, bool isExponent, sbyte[] integers) : GgufElements
{
    public override string Name => name;

    public override int BlockElements => 32;

    public override int BlockBytes => blockBytes;

    public override PanelFormat Panels => PanelFormat.Int8By32;

    public override void Read(byte* block, Span<float> target)
    {
        float scale = Scale(block);
        byte* choices = block + blockBytes - 16;
        for (int i = 0; i < 16; i++)
        {
            target[i] = scale * integers[choices[i] & 15];
            target[i + 16] = scale * integers[choices[i] >> 4];
        }
    }

    public override bool TryRead(byte* block, PanelFormat format, Span<sbyte> target, Span<Half> scales, Span<Half> least)
    {
        float scale = Scale(block);
        scales[0] = (Half)scale;
        GgufHalves.Read(block + blockBytes - 16, target);
        for (int i = 0; i < 32; i++)
            target[i] = integers[target[i]];
        return format == PanelFormat.Int8By32 && (float)scales[0] == scale;
    }

    // The exponents 0 and 1 give floats below the normal ones.
    private float Scale(byte* block)
    {
        if (!isExponent)
            return (float)HalfAt(block);
        uint exponent = block[0];
        return BitConverter.UInt32BitsToSingle(exponent < 2 ? 0x0020_0000u << (int)exponent : exponent - 1 << 23);
    }
}
