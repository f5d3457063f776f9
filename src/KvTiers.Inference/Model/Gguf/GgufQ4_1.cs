using KvTiers.Inference.Kernels;

namespace KvTiers.Inference.Model.Gguf;

/// <summary>32 weights: scale and least value (F16), then 16 bytes as those of <see cref="GgufQ4_0"/>: scale · integer + least.</summary>
internal sealed unsafe class GgufQ4_1 : GgufElements
{
    public override string Name => "Q4_1";

    public override int BlockElements => 32;

    public override int BlockBytes => 20;

    public override PanelFormat Panels => PanelFormat.Int4Affine;

    public override void Read(byte* block, Span<float> target)
    {
        float scale = (float)HalfAt(block), least = (float)HalfAt(block + 2);
        for (int i = 0; i < 16; i++)
        {
            target[i] = (block[4 + i] & 15) * scale + least;
            target[i + 16] = (block[4 + i] >> 4) * scale + least;
        }
    }

    public override bool TryRead(byte* block, PanelFormat format, Span<sbyte> integers, Span<Half> scales, Span<Half> least)
    {
        GgufHalves.Read(block + 4, integers);
        return Group(format, (float)HalfAt(block), (float)HalfAt(block + 2), ref scales[0], ref least[0]);
    }
}
