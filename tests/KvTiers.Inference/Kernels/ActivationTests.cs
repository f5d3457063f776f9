using KvTiers.Inference.Kernels;

namespace KvTiers.Inference.Tests.Kernels;

public sealed unsafe class ActivationTests
{
    [Fact]
    public void SiluAndGeluEqualTheirDefinitions()
    {
        float* lanes = stackalloc float[16];
        for (float x = -30; x < 30; x += 0.051f)
        {
            LanesPlain.Store(Activation.Silu(LanesPlain.Broadcast(x)), lanes);
            Assert.Equal(x / (1 + Math.Exp(-x)), lanes[0], 1e-6 * Math.Max(1, Math.Abs(x)));
            LanesPlain.Store(Activation.Gelu(LanesPlain.Broadcast(x)), lanes);
            Assert.Equal(0.5 * x * (1 + Math.Tanh(Math.Sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x))), lanes[0], 1e-6 * Math.Max(1, Math.Abs(x)));
        }
    }

    [Fact]
    public void GeluWithErfIsWithinItsPolynomialsErrorOfTheDefinition()
    {
        float* lanes = stackalloc float[16];
        for (float x = -30; x < 30; x += 0.051f)
        {
            LanesPlain.Store(Activation.GeluErf(LanesPlain.Broadcast(x)), lanes);
            Assert.Equal(0.5 * x * (1 + Erf(x / Math.Sqrt(2))), lanes[0], 3e-7 * Math.Max(1, Math.Abs(x)));
        }
    }

    [Theory]
    [InlineData(1.5f)]
    [InlineData(50f)]
    public void ASoftCapEqualsItsDefinitionAndRelu2TheSquareOfWhatIsPositive(float cap)
    {
        float* lanes = stackalloc float[16];
        for (float x = -300; x < 300; x += 0.37f)
        {
            LanesPlain.Store(Activation.SoftCap(LanesPlain.Broadcast(x), cap), lanes);
            Assert.Equal(cap * Math.Tanh(x / cap), lanes[0], 2e-7 * cap);
            LanesPlain.Store(Activation.Relu2(LanesPlain.Broadcast(x)), lanes);
            Assert.Equal(x > 0 ? x * x : 0, lanes[0]);
        }
    }

    // 2/√π · ∫ e^−t² from 0 to x, by Simpson's rule.
    private static double Erf(double x)
    {
        const int Steps = 400;
        double to = Math.Min(Math.Abs(x), 7), width = to / Steps, sum = 0;
        for (int i = 0; i <= Steps; i++)
            sum += (i is 0 or Steps ? 1 : i % 2 == 1 ? 4 : 2) * Math.Exp(-(i * width) * (i * width));
        return Math.Sign(x) * 2 / Math.Sqrt(Math.PI) * sum * width / 3;
    }
}
