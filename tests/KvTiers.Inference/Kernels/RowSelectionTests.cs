using KvTiers.Inference.Kernels;

namespace KvTiers.Inference.Tests.Kernels;

public sealed unsafe class RowSelectionTests
{
    [Theory]
    [InlineData(16)]
    [InlineData(37)]
    public void RowsComeTogetherAndAreAddedBackByTheirWeightsOnEveryPath(int width)
    {
        const int Rows = 30;
        int[] chosen = [0, 3, 4, 7, 8, 11, 12, 19, 20, 29];
        float[] weights = [.. chosen.Select(row => 0.1f * row)];
        using ThreadTeam team = new(2);
        using NativeBuffer source = KernelPathData.Random(Rows * width, 1), before = KernelPathData.Random(Rows * width, 2);
        float[]? first = null;
        foreach (KernelPath path in KernelPathData.Supported)
        {
            using NativeBuffer gathered = new(chosen.Length * width * sizeof(float)), target = KernelPathData.Random(Rows * width, 2);
            RowSelection selection = new(team, path, Rows);
            selection.Gather(chosen, source.Floats, gathered.Floats, width);
            for (int i = 0; i < chosen.Length; i++)
                Assert.Equal(new ReadOnlySpan<float>(source.Floats + chosen[i] * width, width), new ReadOnlySpan<float>(gathered.Floats + i * width, width));
            selection.Add(chosen, weights, gathered.Floats, target.Floats, width);
            float[] actual = KernelPathData.ToArray(target, Rows * width);
            KernelPathData.AssertSameBits(first ??= actual, actual);
        }
        for (int i = 0; i < Rows * width; i++)
        {
            int place = Array.IndexOf(chosen, i / width);
            double expected = before.Floats[i] + (place < 0 ? 0.0 : (double)weights[place] * source.Floats[i]);
            Assert.Equal(expected, first![i], 1e-6);
        }
    }
}
