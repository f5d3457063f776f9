namespace KvTiers.Inference.Model;

/// <summary>The rotary frequencies of a model, in 32-bit steps as the reference implementations take them.</summary>
internal static class RopeFrequencies
{
    /// <summary>Computes them.</summary>
    /// <returns>[headDim / 2] radians per position.</returns>
    public static float[] Of(ModelConfig config)
    {
        float[] frequencies = new float[config.HeadDim / 2];
        for (int i = 0; i < frequencies.Length; i++)
        {
            float frequency = 1f / (float)Math.Pow(config.RopeTheta, 2f * i / config.HeadDim);
            frequencies[i] = config.RopeScaling switch
            {
                RopeScaling.Linear linear => frequency / (float)linear.Factor,
                RopeScaling.Llama3 llama3 => Stretch(frequency, llama3),
                _ => frequency,
            };
        }
        return frequencies;
    }

    private static float Stretch(float frequency, RopeScaling.Llama3 scaling)
    {
        double waveLength = 2 * Math.PI / frequency;
        if (waveLength < scaling.OriginalContextLength / scaling.HighFrequencyFactor)
            return frequency;
        if (waveLength > scaling.OriginalContextLength / scaling.LowFrequencyFactor)
            return (float)(frequency / scaling.Factor);
        double blend = (scaling.OriginalContextLength / waveLength - scaling.LowFrequencyFactor)
            / (scaling.HighFrequencyFactor - scaling.LowFrequencyFactor);
        return (float)((1 - blend) * frequency / scaling.Factor + blend * frequency);
    }
}
