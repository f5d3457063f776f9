using System.Text.Json.Nodes;

namespace KvTiers.Inference.Model.Gguf;

/// <summary>Finds which stretching of rotary frequencies a file means by the factors that it has of each: those of Llama 3.</summary>
internal static class RotaryFactors
{
    private const double LowFrequencyFactor = 1;
    private const double HighFrequencyFactor = 4;
    private const int OriginalContext = 8_192;
    private const double Tolerance = 1e-4;

    /// <summary>The stretching as <c>rope_scaling</c> says it; null where every factor is 1.</summary>
    /// <exception cref="ModelFormatException">The factors are those of no stretching that is known.</exception>
    public static unsafe JsonObject? Read(string path, GgufTensor tensor, int headDim, double theta)
    {
        float[] factors = new float[headDim / 2];
        if (tensor.Shape.Length != 1 || tensor.Shape[0] != factors.Length || tensor.Elements.Name != "F32")
            throw new ModelFormatException(path, tensor.Name, $"must be {factors.Length} numbers of type F32, one for each pair of a head that turns.");
        new ReadOnlySpan<float>(tensor.Data, factors.Length).CopyTo(factors);
        double greatest = factors.Max();
        if (factors.All(factor => factor == 1))
            return null;
        for (int i = 0; i < factors.Length; i++)
        {
            double expected = Expected(2 * Math.PI * Math.Pow(theta, 2.0 * i / headDim), greatest);
            if (!(Math.Abs(factors[i] - expected) <= Tolerance * expected))
                throw new ModelFormatException(path, tensor.Name, $"has the factor {factors[i]} at {i}, where Llama 3's stretching by {greatest} has {expected:g6}; others are not supported.");
        }
        return new JsonObject
        {
            ["rope_type"] = "llama3",
            ["factor"] = greatest,
            ["low_freq_factor"] = LowFrequencyFactor,
            ["high_freq_factor"] = HighFrequencyFactor,
            ["original_max_position_embeddings"] = OriginalContext,
        };
    }

    private static double Expected(double wavelength, double factor)
    {
        if (wavelength < OriginalContext / HighFrequencyFactor)
            return 1;
        if (wavelength > OriginalContext / LowFrequencyFactor)
            return factor;
        double smooth = (OriginalContext / wavelength - LowFrequencyFactor) / (HighFrequencyFactor - LowFrequencyFactor);
        return 1 / ((1 - smooth) / factor + smooth);
    }
}
