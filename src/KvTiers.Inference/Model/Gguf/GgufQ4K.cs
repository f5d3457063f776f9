using KvTiers.Inference.Kernels;

namespace KvTiers.Inference.Model.Gguf;

/// <summary>
/// 256 weights in eight groups: factors of scales and of least values (F16), 12 bytes of both (<see cref="GgufKScales"/>), then 32 bytes for two groups at a time,
/// the first in the lower halves: scale · integer − least.
/// </summary>
internal sealed unsafe class GgufQ4K : GgufElements
{
    public override string Name => "Q4_K";

    public override int BlockElements => 256;

    public override int BlockBytes => 144;

    public override PanelFormat Panels => PanelFormat.Int4Affine;

    public override void Read(byte* block, Span<float> target)
    {
        float scaleFactor = (float)HalfAt(block), leastFactor = (float)HalfAt(block + 2);
        for (int group = 0; group < 8; group++)
        {
            float scale = scaleFactor * GgufKScales.Scale(block + 4, group), least = leastFactor * GgufKScales.Least(block + 4, group);
            for (int i = 0; i < 32; i++)
                target[group * 32 + i] = scale * Integer(block, group, i) - least;
        }
    }

    /// <summary>Scales and least values are rounded to 16-bit floats: they change by one part in 2,048 at most.</summary>
    public override bool TryRead(byte* block, PanelFormat format, Span<sbyte> integers, Span<Half> scales, Span<Half> least)
    {
        float scaleFactor = (float)HalfAt(block), leastFactor = (float)HalfAt(block + 2);
        bool isKept = true;
        for (int group = 0; group < 8; group++)
        {
            isKept &= Group(
                format, scaleFactor * GgufKScales.Scale(block + 4, group), -leastFactor * GgufKScales.Least(block + 4, group), ref scales[group], ref least[group]);
            for (int i = 0; i < 32; i++)
                integers[group * 32 + i] = (sbyte)Integer(block, group, i);
        }
        return isKept;
    }

    private static int Integer(byte* block, int group, int i) => block[16 + group / 2 * 32 + i] >> group % 2 * 4 & 15;
}
