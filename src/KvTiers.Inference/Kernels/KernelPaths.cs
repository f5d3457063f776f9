using System.Runtime.Intrinsics.X86;

namespace KvTiers.Inference.Kernels;

/// <summary>Tells which kernel paths this processor has.</summary>
public static class KernelPaths
{
    /// <summary>The widest path that the processor has.</summary>
    public static KernelPath Widest =>
        IsSupported(KernelPath.Avx512) ? KernelPath.Avx512 : IsSupported(KernelPath.Avx2) ? KernelPath.Avx2 : KernelPath.Plain;

    /// <summary>The processor has this path.</summary>
    public static bool IsSupported(KernelPath path) => path switch
    {
        KernelPath.Avx512 => Avx512F.IsSupported && Avx512BW.IsSupported && IsSupported(KernelPath.Avx2),
        KernelPath.Avx2 => Avx2.IsSupported && Fma.IsSupported,
        _ => true,
    };

    /// <summary>The path asked for, or the widest.</summary>
    /// <exception cref="PlatformNotSupportedException">The processor does not have it.</exception>
    public static KernelPath Choose(KernelPath? wanted) =>
        wanted is not KernelPath path ? Widest
        : IsSupported(path) ? path
        : throw new PlatformNotSupportedException($"This processor does not have the kernel path {path}.");
}
