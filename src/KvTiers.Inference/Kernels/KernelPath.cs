namespace KvTiers.Inference.Kernels;

/// <summary>The instruction set that the kernels run on. Every path yields the same bits.</summary>
public enum KernelPath
{
    /// <summary>512-bit vectors with fused multiply-add.</summary>
    Avx512,

    /// <summary>256-bit vectors with fused multiply-add.</summary>
    Avx2,

    /// <summary>No vectors. Slow; the measure of the other two.</summary>
    Plain,
}
