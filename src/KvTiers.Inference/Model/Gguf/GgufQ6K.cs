using KvTiers.Inference.Kernels;

namespace KvTiers.Inference.Model.Gguf;

/// <summary>
/// 256 weights in 16 groups: 128 bytes with their lower four bits, 64 bytes with their upper two, a signed byte as scale per group, and the scales' factor (F16):
/// scale · (integer − 32). Each half of the block has four runs of 32 weights side by side.
/// </summary>
internal sealed unsafe class GgufQ6K : GgufElements
{
    private const int Zero = 32;

    public override string Name => "Q6_K";

    public override int BlockElements => 256;

    public override int BlockBytes => 210;

    public override PanelFormat Panels => PanelFormat.Int8By32;

    public override void Read(byte* block, Span<float> target)
    {
        float factor = (float)HalfAt(block + 208);
        for (int half = 0; half < 2; half++)
        {
            byte* lower = block + half * 64, upper = block + 128 + half * 32;
            sbyte* scales = (sbyte*)block + 192 + half * 8;
            for (int run = 0; run < 4; run++)
            {
                for (int i = 0; i < 32; i++)
                {
                    int integer = lower[run % 2 * 32 + i] >> run / 2 * 4 & 15 | (upper[i] >> run * 2 & 3) << 4;
                    target[half * 128 + run * 32 + i] = factor * scales[run * 2 + i / 16] * (integer - Zero);
                }
            }
        }
    }
}
