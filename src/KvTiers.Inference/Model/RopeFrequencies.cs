namespace KvTiers.Inference.Model;

/// <summary>The rotary frequencies of a layer, in 32-bit steps as the reference implementations take them.</summary>
internal static class RopeFrequencies
{
    /// <summary>Computes them.</summary>
    /// <returns>[Dim / 2] radians per position.</returns>
    public static float[] Of(RotaryConfig rotary)
    {
        float[] frequencies = new float[rotary.Dim / 2];
        for (int i = 0; i < frequencies.Length; i++)
        {
            float frequency = 1f / (float)Math.Pow(rotary.Theta, 2f * i / rotary.Dim);
            frequencies[i] = rotary.Scaling switch
            {
                RopeScaling.Linear linear => frequency / (float)linear.Factor,
                RopeScaling.Llama3 llama3 => Stretch(frequency, llama3),
                RopeScaling.Yarn yarn => Stretch(frequency, i, rotary, yarn),
                RopeScaling.LongRope longRope => (float)(frequency / longRope.Factors[i]),
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

    // The ramp is over pairs: from the one that turns BetaFast times in the original context to the one that turns BetaSlow times.
    private static float Stretch(float frequency, int pair, RotaryConfig rotary, RopeScaling.Yarn scaling)
    {
        double first = PairOf(scaling.BetaFast), last = PairOf(scaling.BetaSlow);
        if (scaling.IsTruncated)
            (first, last) = (Math.Floor(first), Math.Ceiling(last));
        (first, last) = (Math.Max(first, 0), Math.Min(last, rotary.Dim - 1));
        double divided = Math.Clamp((pair - first) / (last == first ? 0.001 : last - first), 0, 1);
        return (float)(frequency / scaling.Factor * divided + frequency * (1 - divided));

        double PairOf(double turns) =>
            rotary.Dim * Math.Log(scaling.OriginalContextLength / (turns * 2 * Math.PI)) / (2 * Math.Log(rotary.Theta));
    }
}
