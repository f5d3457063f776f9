using KvTiers.Inference.Kernels;

namespace KvTiers.Inference.Model.Gguf;

/// <summary>Elements that stand one after the other, each by itself.</summary>
/// <param name="name">F32, F16 or BF16.</param>
/// <param name="elementBytes">Bytes of one.</param>
internal sealed unsafe class GgufPlain(string name, int elementBytes) : GgufElements
{
    public override string Name => name;

    public override int BlockElements => 1;

    public override int BlockBytes => elementBytes;

    public override PanelFormat Panels => name == "BF16" ? PanelFormat.BF16 : PanelFormat.F32;

    public override void Read(byte* block, Span<float> target) => target[0] = name switch
    {
        "F32" => *(float*)block,
        "F16" => (float)HalfAt(block),
        _ => BFloat16.Widen(*(ushort*)block),
    };
}
