namespace KvTiers.Cli.Size;

/// <summary>How one number of K or V is stored. The scales that fp8, int8 and int4 need beside their values are not counted.</summary>
internal sealed record ElementType(string Name, int Bits)
{
    public static readonly ElementType Fp32 = new("fp32", 32);
    public static readonly ElementType Fp16 = new("fp16", 16);
    public static readonly ElementType Bf16 = new("bf16", 16);
    public static readonly ElementType Fp8 = new("fp8", 8);
    public static readonly ElementType Int8 = new("int8", 8);
    public static readonly ElementType Int4 = new("int4", 4);

    public static IReadOnlyList<ElementType> All { get; } = [Fp32, Fp16, Bf16, Fp8, Int8, Int4];

    /// <summary>The type of this name, also in the long spelling of model files (<c>bfloat16</c>); <see langword="null"/> when unknown.</summary>
    public static ElementType? Find(string name) => name.ToLowerInvariant() switch
    {
        "f32" or "float32" => Fp32,
        "f16" or "float16" or "half" => Fp16,
        "bfloat16" => Bf16,
        var plain => All.FirstOrDefault(type => type.Name == plain),
    };
}
