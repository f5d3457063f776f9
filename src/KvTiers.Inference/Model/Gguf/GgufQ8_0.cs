using KvTiers.Inference.Kernels;

namespace KvTiers.Inference.Model.Gguf;

/// <summary>32 weights: scale (F16), then 32 signed bytes: scale · integer.</summary>
internal sealed unsafe class GgufQ8_0 : GgufElements
{
    public override string Name => "Q8_0";

    public override int BlockElements => 32;

    public override int BlockBytes => 34;

    public override PanelFormat Panels => PanelFormat.Int8By32;

    public override void Read(byte* block, Span<float> target)
    {
        float scale = (float)HalfAt(block);
        for (int i = 0; i < 32; i++)
            target[i] = ((sbyte*)block)[2 + i] * scale;
    }

    public override bool TryRead(byte* block, PanelFormat format, Span<sbyte> integers, Span<Half> scales, Span<Half> least)
    {
        scales[0] = HalfAt(block);
        new ReadOnlySpan<sbyte>(block + 2, 32).CopyTo(integers);
        return format == PanelFormat.Int8By32 && Half.IsFinite(scales[0]);
    }
}
