using KvTiers.Inference.Kernels;

namespace KvTiers.Inference.Model.Gguf;

/// <summary>32 weights: scale (F16), four bytes with each weight's fifth bit, then 16 bytes as those of <see cref="GgufQ4_0"/>: scale · (integer − 16).</summary>
internal sealed unsafe class GgufQ5_0 : GgufElements
{
    private const int Zero = 16;

    public override string Name => "Q5_0";

    public override int BlockElements => 32;

    public override int BlockBytes => 22;

    public override PanelFormat Panels => PanelFormat.Int8By32;

    public override void Read(byte* block, Span<float> target)
    {
        Span<sbyte> integers = stackalloc sbyte[32];
        Integers(block, integers);
        float scale = (float)HalfAt(block);
        for (int i = 0; i < integers.Length; i++)
            target[i] = integers[i] * scale;
    }

    public override bool TryRead(byte* block, PanelFormat format, Span<sbyte> integers, Span<Half> scales, Span<Half> least)
    {
        Integers(block, integers);
        scales[0] = HalfAt(block);
        return format == PanelFormat.Int8By32 && Half.IsFinite(scales[0]);
    }

    private static void Integers(byte* block, Span<sbyte> integers)
    {
        uint fifth = *(uint*)(block + 2);
        GgufHalves.Read(block + 6, integers);
        for (int i = 0; i < 32; i++)
            integers[i] += (sbyte)((fifth >> i & 1) * 16 - Zero);
    }
}
