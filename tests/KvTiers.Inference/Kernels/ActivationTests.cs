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
}
