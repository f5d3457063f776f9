using KvTiers.Inference.Kernels;

namespace KvTiers.Inference.Model.Gguf;

/// <summary>32 weights: scale and least value (F16), four bytes with each weight's fifth bit, then 16 bytes as those of <see cref="GgufQ4_0"/>: scale · integer + least.</summary>
internal sealed unsafe class GgufQ5_1 : GgufElements
{
    public override string Name => "Q5_1";

    public override int BlockElements => 32;

    public override int BlockBytes => 24;

    public override PanelFormat Panels => PanelFormat.Int8By32;

    public override void Read(byte* block, Span<float> target)
    {
        float scale = (float)HalfAt(block), least = (float)HalfAt(block + 2);
        uint fifth = *(uint*)(block + 4);
        for (int i = 0; i < 16; i++)
        {
            target[i] = (block[8 + i] & 15 | (int)(fifth >> i & 1) << 4) * scale + least;
            target[i + 16] = (block[8 + i] >> 4 | (int)(fifth >> i + 16 & 1) << 4) * scale + least;
        }
    }
}
