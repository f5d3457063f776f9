using KvTiers.Inference.Kernels;

namespace KvTiers.Inference.Tests.Kernels;

public sealed unsafe class LayerNormTests
{
    [Theory]
    [InlineData(2)]
    [InlineData(15)]
    [InlineData(16)]
    [InlineData(37)]
    [InlineData(768)]
    public void RowsEqualTheDefinitionOnEveryPath(int length)
    {
        const int Rows = 19;
        using NativeBuffer input = KernelPathData.Random(Rows * length, 1), weight = KernelPathData.Random(length, 2), bias = KernelPathData.Random(length, 3);
        using ThreadTeam team = new(2);
        float[]? first = null;
        foreach (KernelPath path in KernelPathData.Supported)
        {
            using NativeBuffer output = new((Rows * length + 32) * sizeof(float));
            new LayerNorm(team, path).Run(input.Floats, weight.Floats, bias.Floats, 1e-5f, output.Floats, Rows, length);
            float[] actual = KernelPathData.ToArray(output, Rows * length);
            KernelPathData.AssertSameBits(first ??= actual, actual);
        }
        for (int row = 0; row < Rows; row++)
        {
            double[] x = [.. KernelPathData.ToArray(input, Rows * length).AsSpan(row * length, length).ToArray()];
            double mean = x.Average(), scale = 1 / Math.Sqrt(x.Average(value => (value - mean) * (value - mean)) + 1e-5);
            for (int i = 0; i < length; i++)
                Assert.Equal((x[i] - mean) * scale * weight.Floats[i] + bias.Floats[i], first![row * length + i], 1e-5);
        }
    }

    [Theory]
    [InlineData(16)]
    [InlineData(11)]
    public void WithoutABiasNothingIsShifted(int length)
    {
        const int Rows = 5;
        using NativeBuffer input = KernelPathData.Random(Rows * length, 1), weight = KernelPathData.Random(length, 2), zero = new((length + 32) * sizeof(float));
        using ThreadTeam team = new(1);
        foreach (KernelPath path in KernelPathData.Supported)
        {
            using NativeBuffer shifted = new((Rows * length + 32) * sizeof(float)), bare = new((Rows * length + 32) * sizeof(float));
            LayerNorm norm = new(team, path);
            norm.Run(input.Floats, weight.Floats, zero.Floats, 1e-5f, shifted.Floats, Rows, length);
            norm.Run(input.Floats, weight.Floats, null, 1e-5f, bare.Floats, Rows, length);
            KernelPathData.AssertSameBits(KernelPathData.ToArray(shifted, Rows * length), KernelPathData.ToArray(bare, Rows * length));
        }
    }
}
