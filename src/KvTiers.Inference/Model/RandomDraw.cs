namespace KvTiers.Inference.Model;

/// <summary>
/// A random number that is a pure function of its key. No generator state runs along with a sequence, so a draw does not depend on batch, cache,
/// preemption or thread.
/// </summary>
/// <param name="Seed">The request's seed.</param>
/// <param name="Position">Place of the drawn token in its sequence, from 0.</param>
/// <param name="Choice">Which continuation of the prompt, from 0.</param>
public readonly record struct RandomDraw(long Seed, int Position, int Choice)
{
    /// <summary>Evenly distributed in [0, 1), 53 bits.</summary>
    public double Uniform()
    {
        ulong key = Mix((ulong)Seed);
        key = Mix(key ^ (((ulong)(uint)Choice << 32) | (uint)Position));
        return (key >> 11) * (1.0 / (1UL << 53));
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
