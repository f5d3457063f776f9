using KvTiers.Inference.Kernels;

namespace KvTiers.Inference.Tests.Kernels;

public sealed unsafe class RopeTests
{
    [Theory]
    [InlineData(2)]
    [InlineData(10)]
    [InlineData(32)]
    [InlineData(80)]
    public void HeadsTurnByTheirPositionOnEveryPath(int headDim)
    {
        const int Heads = 3, Rows = 11;
        int stride = Heads * headDim + 5, half = headDim / 2;
        float[] frequencies = [.. Enumerable.Range(0, half).Select(i => MathF.Pow(10_000, -2f * i / headDim))];
        int[] positions = [.. Enumerable.Range(0, Rows).Select(row => row * 37)];
        using ThreadTeam team = new(2);
        using NativeBuffer original = KernelPathData.Random(Rows * stride, 1);
        float[]? first = null;
        foreach (KernelPath path in KernelPathData.Supported)
        {
            using NativeBuffer values = KernelPathData.Random(Rows * stride, 1);
            using Rope rope = new(team, path, frequencies, Rows);
            rope.SetPositions(positions, Rows);
            rope.Run(values.Floats, stride, Heads);
            float[] actual = KernelPathData.ToArray(values, Rows * stride);
            KernelPathData.AssertSameBits(first ??= actual, actual);
        }
        for (int row = 0; row < Rows; row++)
        {
            float* x = original.Floats + row * stride;
            Span<float> y = first.AsSpan(row * stride, stride);
            for (int element = 0; element < Heads * headDim; element++)
            {
                int i = element % headDim % half, start = element / headDim * headDim;
                (double sine, double cosine) = Math.SinCos(positions[row] * frequencies[i]);
                double expected = element - start < half
                    ? x[start + i] * cosine - x[start + i + half] * sine
                    : x[start + i + half] * cosine + x[start + i] * sine;
                Assert.Equal(expected, y[element], 1e-6);
            }
            Assert.Equal(new ReadOnlySpan<float>(x + Heads * headDim, 5), y[^5..]);
        }
    }

    [Theory]
    [InlineData(24, 10)]
    [InlineData(64, 32)]
    public void APartOfAHeadTurnsTheRestStaysAndAFactorStretchesWhatTurns(int headDim, int dim)
    {
        const int Heads = 3, Rows = 11;
        const float Factor = 1.25f;
        int stride = Heads * headDim, half = dim / 2;
        float[] frequencies = [.. Enumerable.Range(0, half).Select(i => MathF.Pow(100, -2f * i / dim))];
        int[] positions = [.. Enumerable.Range(0, Rows).Select(row => row * 3)];
        using ThreadTeam team = new(2);
        using NativeBuffer original = KernelPathData.Random(Rows * stride, 1);
        foreach (KernelPath path in KernelPathData.Supported)
        {
            using NativeBuffer values = KernelPathData.Random(Rows * stride, 1);
            using Rope rope = new(team, path, frequencies, Rows, headDim, Factor);
            rope.SetPositions(positions, Rows);
            rope.Run(values.Floats, stride, Heads);
            for (int element = 0; element < Rows * stride; element++)
            {
                int within = element % stride % headDim, start = element - within, i = within % half;
                (double sine, double cosine) = Math.SinCos(positions[element / stride] * frequencies[i]);
                float* x = original.Floats + start;
                double expected = within >= dim
                    ? x[within]
                    : within < half ? Factor * (x[i] * cosine - x[i + half] * sine) : Factor * (x[i + half] * cosine + x[i] * sine);
                Assert.Equal(expected, values.Floats[element], 1e-6);
            }
        }
    }
}
