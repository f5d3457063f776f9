using KvTiers.Inference.Kernels;

namespace KvTiers.Inference.Tests.Kernels;

public sealed unsafe class RmsNormTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(15)]
    [InlineData(16)]
    [InlineData(37)]
    [InlineData(576)]
    public void RowsEqualTheDefinitionOnEveryPath(int length)
    {
        const int Rows = 19;
        using NativeBuffer input = KernelPathData.Random(Rows * length, 1), weight = KernelPathData.Random(length, 2);
        using ThreadTeam team = new(2);
        float[]? first = null;
        foreach (KernelPath path in KernelPathData.Supported)
        {
            using NativeBuffer output = new((Rows * length + 32) * sizeof(float));
            new RmsNorm(team, path).Run(input.Floats, weight.Floats, 1e-5f, output.Floats, Rows, length);
            float[] actual = KernelPathData.ToArray(output, Rows * length);
            KernelPathData.AssertSameBits(first ??= actual, actual);
        }
        for (int row = 0; row < Rows; row++)
        {
            double[] x = [.. KernelPathData.ToArray(input, Rows * length).AsSpan(row * length, length).ToArray()];
            double scale = 1 / Math.Sqrt(x.Average(value => value * value) + 1e-5);
            for (int i = 0; i < length; i++)
                Assert.Equal(x[i] * scale * weight.Floats[i], first![row * length + i], 2e-6);
        }
    }

    [Theory]
    [InlineData(16, true)]
    [InlineData(10, false)]
    public void VectorsOfARowAreNormalisedEachByItselfAndAddedWhereAsked(int length, bool areWeightsShared)
    {
        const int Rows = 19, Groups = 3;
        int stride = Groups * length + 7;
        using NativeBuffer input = KernelPathData.Random(Rows * stride, 1), weight = KernelPathData.Random(Groups * length, 2);
        using NativeBuffer before = KernelPathData.Random(Rows * stride, 3);
        using ThreadTeam team = new(2);
        float[]? first = null;
        foreach (KernelPath path in KernelPathData.Supported)
        {
            using NativeBuffer output = KernelPathData.Random(Rows * stride, 3);
            new RmsNorm(team, path).Run(new NormRows
            {
                Input = input.Floats,
                InputStride = stride,
                Weight = weight.Floats,
                WeightStride = areWeightsShared ? 0 : length,
                Epsilon = 1e-5f,
                Output = output.Floats,
                OutputStride = stride,
                Rows = Rows,
                Groups = Groups,
                Length = length,
                IsAdded = true,
            });
            float[] actual = KernelPathData.ToArray(output, Rows * stride);
            KernelPathData.AssertSameBits(first ??= actual, actual);
        }
        for (int i = 0; i < Rows * stride; i++)
        {
            int group = i % stride / length, start = i / stride * stride + group * length;
            double normed = 0;
            if (group < Groups)
            {
                double squares = Enumerable.Range(start, length).Average(k => (double)input.Floats[k] * input.Floats[k]);
                normed = input.Floats[i] / Math.Sqrt(squares + 1e-5) * weight.Floats[(areWeightsShared ? 0 : group * length) + i - start];
            }
            Assert.Equal(before.Floats[i] + normed, first![i], 2e-6);
        }
    }
}
