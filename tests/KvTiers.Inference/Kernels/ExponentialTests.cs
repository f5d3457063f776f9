using KvTiers.Inference.Kernels;

namespace KvTiers.Inference.Tests.Kernels;

public sealed unsafe class ExponentialTests
{
    [Fact]
    public void TheExponentialIsWithinTwoUnitsInTheLastPlace()
    {
        double worst = 0;
        for (double x = -86.9; x < 87.9; x += 0.0137)
        {
            float input = (float)x;
            double expected = Math.Exp(input);
            worst = Math.Max(worst, Math.Abs(Exp(input) - expected) / Math.BitIncrement((float)expected) * (1 << 23));
        }
        TestContext.Current.TestOutputHelper?.WriteLine($"largest error of e^x: {worst:F2} units in the last place");
        Assert.True(worst < 2);
    }

    [Theory]
    [InlineData(0f, 1f)]
    [InlineData(float.NegativeInfinity, 0f)]
    [InlineData(-87.1f, 0f)]
    [InlineData(-1e30f, 0f)]
    public void TheExponentialOfEdges(float x, float expected) => Assert.Equal(expected, Exp(x));

    [Fact]
    public void AboveEightyEightTheExponentialStaysFinite()
    {
        Assert.Equal(Math.Exp(88), Exp(1e9f), Math.Exp(88) * 1e-6);
        Assert.Equal(Exp(88), Exp(float.PositiveInfinity));
    }

    private static float Exp(float x)
    {
        float* lanes = stackalloc float[16];
        LanesPlain.Store(Exponential.Of(LanesPlain.Broadcast(x)), lanes);
        return lanes[0];
    }
}
