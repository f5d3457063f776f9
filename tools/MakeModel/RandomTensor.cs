namespace KvTiers.MakeModel;

/// <summary>Values with a given mean and deviation, close to normal, each a pure function of seed, tensor name and index.</summary>
/// <param name="Info">Name and shape.</param>
/// <param name="Mean">Mean of the values.</param>
/// <param name="Deviation">Standard deviation of the values; none is more than 3.5 deviations off.</param>
public sealed record RandomTensor(TensorInfo Info, float Mean, float Deviation)
{
    /// <summary>Fills in the values from index <paramref name="first"/> on.</summary>
    public void Fill(long seed, long first, Span<float> values)
    {
        ulong key = Mix((ulong)seed);
        foreach (char letter in Info.Name)
            key = Mix(key ^ letter);
        for (int i = 0; i < values.Length; i++)
        {
            ulong bits = Mix(key + (ulong)(first + i));
            // Four uniform numbers in [0, 1) add up to nearly a normal one of mean 2 and variance 1/3.
            uint sum = (uint)(bits & 0xFFFF) + (uint)((bits >> 16) & 0xFFFF) + (uint)((bits >> 32) & 0xFFFF) + (uint)(bits >> 48);
            values[i] = Mean + (Deviation * 1.7320508f * ((sum / 65536f) - 2));
        }
    }

    // The SplitMix64 step (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators, 2014).
    private static ulong Mix(ulong value)
    {
        value += 0x9E3779B97F4A7C15;
        value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9;
        value = (value ^ (value >> 27)) * 0x94D049BB133111EB;
        return value ^ (value >> 31);
    }
}
