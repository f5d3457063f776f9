using KvTiers.Inference.Kernels;

namespace KvTiers.Inference.Tests.Kernels;

public sealed unsafe class ExpertRoutingTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void RowsGoToTheirGreatestScoresByTheWeightsOfSoftmax(bool isNormalised)
    {
        const int Experts = 7, PerToken = 3, Rows = 11;
        using NativeBuffer scores = KernelPathData.Random(Rows * Experts, 1);
        float[] given = KernelPathData.ToArray(scores, Rows * Experts);
        ExpertRouting routing = new(Experts, PerToken, isNormalised, Rows);

        routing.Route(scores.Floats, Rows);

        for (int row = 0; row < Rows; row++)
        {
            double[] powers = [.. given.AsSpan(row * Experts, Experts).ToArray().Select(score => Math.Exp(score))];
            int[] best = [.. Enumerable.Range(0, Experts).OrderByDescending(expert => powers[expert]).Take(PerToken)];
            double total = isNormalised ? best.Sum(expert => powers[expert]) : powers.Sum();
            for (int expert = 0; expert < Experts; expert++)
            {
                int place = routing.RowsOf(expert).IndexOf(row);
                Assert.Equal(best.Contains(expert), place >= 0);
                if (place >= 0)
                    Assert.Equal(powers[expert] / total, routing.WeightsOf(expert)[place], 1e-6);
            }
        }
        for (int expert = 0; expert < Experts; expert++)
            Assert.Equal(routing.RowsOf(expert).ToArray().Order(), routing.RowsOf(expert).ToArray());
    }

    [Fact]
    public void OfEqualScoresTheLowerExpertsCountsAsGreater()
    {
        float[] scores = [1, 2, 2, 2, 0];
        ExpertRouting routing = new(5, 2, true, 4);
        fixed (float* first = scores)
            routing.Route(first, 1);

        Assert.Equal([0, 1, 1, 0, 0], Enumerable.Range(0, 5).Select(expert => routing.RowsOf(expert).Length));
        Assert.Equal(0.5f, routing.WeightsOf(1)[0]);
    }

    [Fact]
    public void ARoutingForgetsTheOneBefore()
    {
        ExpertRouting routing = new(3, 1, true, 4);
        float[] scores = [0, 0, 1, 0, 0, 1], other = [1, 0, 0];
        fixed (float* first = scores, second = other)
        {
            routing.Route(first, 2);
            routing.Route(second, 1);
        }

        Assert.Equal([1, 0, 0], Enumerable.Range(0, 3).Select(expert => routing.RowsOf(expert).Length));
    }
}
