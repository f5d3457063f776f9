using KvTiers.Inference.Kernels;

namespace KvTiers.Inference.Model.Gguf;

/// <summary>32 weights: scale (F16), then 16 bytes with weights 0–15 in their lower halves and 16–31 in their upper ones: scale · (integer − 8).</summary>
internal sealed unsafe class GgufQ4_0 : GgufElements
{
    private const int Zero = 8;

    public override string Name => "Q4_0";

    public override int BlockElements => 32;

    public override int BlockBytes => 18;

    public override PanelFormat Panels => PanelFormat.Int4;

    public override void Read(byte* block, Span<float> target)
    {
        float scale = (float)HalfAt(block);
        for (int i = 0; i < 16; i++)
        {
            target[i] = ((block[2 + i] & 15) - Zero) * scale;
            target[i + 16] = ((block[2 + i] >> 4) - Zero) * scale;
        }
    }

    public override bool TryRead(byte* block, PanelFormat format, Span<sbyte> integers, Span<Half> scales, Span<Half> least)
    {
        Half scale = HalfAt(block);
        GgufHalves.Read(block + 2, integers);
        if (format == PanelFormat.Int4)
        {
            scales[0] = scale;
            return Half.IsFinite(scale);
        }
        return Group(format, (float)scale, -Zero * (float)scale, ref scales[0], ref least[0]);
    }
}
