using KvTiers.Inference.Kernels;

namespace KvTiers.Inference.Model.Gguf;

/// <summary>As <see cref="GgufQ4K"/>, with 32 bytes before the integers: bit g of byte i is the fifth bit of weight i of group g.</summary>
internal sealed unsafe class GgufQ5K : GgufElements
{
    public override string Name => "Q5_K";

    public override int BlockElements => 256;

    public override int BlockBytes => 176;

    public override PanelFormat Panels => PanelFormat.Int8By32;

    public override void Read(byte* block, Span<float> target)
    {
        float scaleFactor = (float)HalfAt(block), leastFactor = (float)HalfAt(block + 2);
        for (int group = 0; group < 8; group++)
        {
            float scale = scaleFactor * GgufKScales.Scale(block + 4, group), least = leastFactor * GgufKScales.Least(block + 4, group);
            for (int i = 0; i < 32; i++)
                target[group * 32 + i] = scale * (block[48 + group / 2 * 32 + i] >> group % 2 * 4 & 15 | (block[16 + i] >> group & 1) << 4) - least;
        }
    }
}
