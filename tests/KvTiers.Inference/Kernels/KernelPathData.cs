using System.Runtime.InteropServices;
using KvTiers.Inference.Kernels;

namespace KvTiers.Inference.Tests.Kernels;

/// <summary>What kernel tests share: the paths of this machine, random floats, exact comparison.</summary>
internal static class KernelPathData
{
    /// <summary>Every path that this processor has, the plain one first.</summary>
    public static KernelPath[] Supported { get; } =
        [.. ((KernelPath[])[KernelPath.Plain, KernelPath.Avx2, KernelPath.Avx512]).Where(KernelPaths.IsSupported)];

    /// <summary>Native memory with normally distributed floats.</summary>
    public static unsafe NativeBuffer Random(int count, int seed)
    {
        Random random = new(seed);
        NativeBuffer buffer = new((count + 32) * sizeof(float));
        for (int i = 0; i < count; i++)
            buffer.Floats[i] = (float)(Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble()));
        return buffer;
    }

    /// <summary>The first floats of native memory.</summary>
    public static unsafe float[] ToArray(NativeBuffer buffer, int count) => new ReadOnlySpan<float>(buffer.Floats, count).ToArray();

    /// <summary>Fails unless both have the same bits.</summary>
    public static void AssertSameBits(ReadOnlySpan<float> expected, ReadOnlySpan<float> actual) =>
        Assert.Equal(MemoryMarshal.Cast<float, uint>(expected), MemoryMarshal.Cast<float, uint>(actual));
}
