using System.Numerics;
using System.Runtime.InteropServices;

namespace KvTiers.Inference.Model;

/// <summary>Chooses the next token from a row of logits.</summary>
/// <remarks>
/// A pure function of (logits, options, counts, draw): all sums run in token order, ties go to the lower id, randomness is counter-based.
/// Top-k and top-p need no sort of the vocabulary: weights fall into buckets by exponent and leading mantissa bits, whole buckets are kept from
/// the likeliest down, and only the bucket that holds the cut is sorted.
/// Owns scratch memory, so one thread at a time; allocates nothing per token.
/// </remarks>
public sealed class Sampler
{
    // Weights are in [0, 1]; sign, exponent and four mantissa bits of 1.0f give the last bucket.
    private const int BucketShift = 19;
    private const int Buckets = (0x3F800000 >> BucketShift) + 1;

    private readonly float[] _scores;
    private readonly int[] _ids;
    private readonly float[] _weights;
    private readonly ulong[] _cutBucket;
    private readonly int[] _bucketCounts = new int[Buckets];
    private readonly double[] _bucketMasses = new double[Buckets];

    /// <summary>A sampler for rows of up to so many logits.</summary>
    public Sampler(int vocabulary)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(vocabulary, 1);
        _scores = new float[vocabulary];
        _ids = new int[vocabulary];
        _weights = new float[vocabulary];
        _cutBucket = new ulong[vocabulary];
    }

    /// <summary>Chooses a token.</summary>
    /// <param name="logits">[vocabulary].</param>
    /// <param name="options">Valid options.</param>
    /// <param name="counts">Tokens of the sequence so far; needed when the options have penalties.</param>
    /// <param name="draw">The random number, unused when greedy.</param>
    /// <param name="bans">Tokens that cannot be chosen, whatever else the options say; ids beyond the vocabulary are none.</param>
    /// <param name="allowed">Bit id % 64 of word id / 64: whether a token may be chosen. Empty = all may.</param>
    /// <exception cref="ArithmeticException">The logits are not finite, or no token may be chosen.</exception>
    public int Sample(
        ReadOnlySpan<float> logits, SamplingOptions options, TokenCounts? counts, RandomDraw draw, ReadOnlySpan<int> bans = default, ReadOnlySpan<ulong> allowed = default)
    {
        ReadOnlySpan<float> scores = logits;
        if (options.LogitBias.Count > 0 || options.HasPenalties || bans.Length > 0 || !allowed.IsEmpty)
        {
            Span<float> adjusted = _scores.AsSpan(0, logits.Length);
            logits.CopyTo(adjusted);
            Adjust(adjusted, options, counts);
            foreach (int id in bans)
            {
                if ((uint)id < (uint)adjusted.Length)
                    adjusted[id] = float.NegativeInfinity;
            }

            Exclude(adjusted, allowed);
            scores = adjusted;
        }

        int likeliest = IndexOfMax(scores, out float max);
        return options.IsGreedy ? likeliest : Draw(scores, max, options, draw);
    }

    /// <summary>The log-probability of one token and of the likeliest ones. Allocates the answer.</summary>
    /// <param name="logits">[vocabulary].</param>
    /// <param name="id">The token asked about.</param>
    /// <param name="top">How many of the likeliest to name.</param>
    /// <exception cref="ArithmeticException">The logits are not finite.</exception>
    public static TokenLogProb Describe(ReadOnlySpan<float> logits, int id, int top)
    {
        double logSum = LogSumExp(logits);
        var likeliest = new TokenAlternative[Math.Min(top, logits.Length)];
        int found = 0;
        for (int token = 0; token < logits.Length && likeliest.Length > 0; token++)
        {
            double logProb = logits[token] - logSum;
            if (found == likeliest.Length && logProb <= likeliest[^1].LogProb)
                continue;
            int place = found < likeliest.Length ? found++ : found - 1;
            for (; place > 0 && likeliest[place - 1].LogProb < logProb; place--)
                likeliest[place] = likeliest[place - 1];
            likeliest[place] = new TokenAlternative(token, logProb);
        }

        return new TokenLogProb(id, logits[id] - logSum, likeliest) { Rank = RankOf(logits, id) };
    }

    private static int RankOf(ReadOnlySpan<float> logits, int id)
    {
        int rank = 1;
        foreach (float logit in logits)
        {
            if (logit > logits[id])
                rank++;
        }

        return rank;
    }

    private static void Adjust(Span<float> scores, SamplingOptions options, TokenCounts? counts)
    {
        // Indexed: enumerating the interface would allocate.
        for (int i = 0; i < options.LogitBias.Count; i++)
        {
            (int id, double bias) = options.LogitBias[i];
            if (id < scores.Length)
                scores[id] += (float)bias;
        }

        if (!options.HasPenalties)
            return;
        ArgumentNullException.ThrowIfNull(counts);
        float repetition = (float)options.RepetitionPenalty;
        foreach ((int id, int outputs) in counts.Outputs)
        {
            if (id >= scores.Length)
                continue;
            float score = scores[id];
            score = score > 0 ? score / repetition : score * repetition;
            if (outputs > 0)
                score -= (float)(options.PresencePenalty + (options.FrequencyPenalty * outputs));

            // A penalty of nearly nothing takes a logit beyond all floats.
            scores[id] = Math.Clamp(score, float.MinValue, float.MaxValue);
        }
    }

    private static void Exclude(Span<float> scores, ReadOnlySpan<ulong> allowed)
    {
        for (int word = 0; word < allowed.Length; word++)
        {
            for (ulong excluded = ~allowed[word]; excluded != 0; excluded &= excluded - 1)
            {
                int id = (word * 64) + BitOperations.TrailingZeroCount(excluded);
                if (id < scores.Length)
                    scores[id] = float.NegativeInfinity;
            }
        }
    }

    private int Draw(ReadOnlySpan<float> scores, float max, SamplingOptions options, RandomDraw draw)
    {
        // Of a temperature of nearly nothing the inverse is beyond all floats: bounded, the likeliest tokens keep their weight of 1.
        Weigh(scores, max, (float)Math.Min(1 / options.Temperature, float.MaxValue));
        int count = KeepAtLeast(scores.Length, (float)options.MinP);
        if (options.TopK > 0 && options.TopK < count)
            count = KeepLikeliest(count, options.TopK, double.PositiveInfinity);
        if (options.TopP < 1)
            count = KeepLikeliest(count, count, options.TopP * Sum(count));

        double target = draw.Uniform() * Sum(count);
        double cumulative = 0;
        int chosen = -1;
        for (int i = 0; i < count && cumulative <= target; i++)
        {
            if (_weights[i] == 0)
                continue;
            cumulative += _weights[i];
            chosen = _ids[i];
        }

        return chosen >= 0 ? chosen : throw NotFinite();
    }

    // weights[i] = exp((scores[i] - max) / temperature), 1 for the likeliest.
    private void Weigh(ReadOnlySpan<float> scores, float max, float inverseTemperature)
    {
        int vectors = scores.Length - (scores.Length % Vector<float>.Count);
        for (int i = 0; i < vectors; i += Vector<float>.Count)
            Vector.Exp((new Vector<float>(scores[i..]) - new Vector<float>(max)) * inverseTemperature).CopyTo(_weights, i);
        for (int i = vectors; i < scores.Length; i++)
            _weights[i] = MathF.Exp((scores[i] - max) * inverseTemperature);
    }

    // Leaves the tokens of weight minP and more as candidates, in id order.
    private int KeepAtLeast(int vocabulary, float minP)
    {
        int count = 0;
        for (int id = 0; id < vocabulary; id++)
        {
            float weight = _weights[id];
            if (weight < minP)
                continue;
            _weights[count] = weight;
            _ids[count++] = id;
        }

        return count;
    }

    // Leaves the likeliest candidates: as many as it takes to reach mass, at most maxCount, at least one. Id order stays.
    private int KeepLikeliest(int count, int maxCount, double mass)
    {
        Array.Clear(_bucketCounts);
        Array.Clear(_bucketMasses);
        for (int i = 0; i < count; i++)
        {
            int bucket = BucketOf(_weights[i]);
            _bucketCounts[bucket]++;
            _bucketMasses[bucket] += _weights[i];
        }

        int cut = Buckets - 1;
        int kept = 0;
        double keptMass = 0;
        while (cut >= 0 && kept + _bucketCounts[cut] < maxCount && keptMass + _bucketMasses[cut] < mass)
        {
            kept += _bucketCounts[cut];
            keptMass += _bucketMasses[cut];
            cut--;
        }

        return cut < 0 ? count : Compact(count, cut, LeastKept(count, cut, maxCount - kept, mass - keptMass));
    }

    // The key of the last candidate kept inside the bucket that holds the cut.
    private ulong LeastKept(int count, int cut, int maxCount, double mass)
    {
        int entries = 0;
        for (int i = 0; i < count; i++)
        {
            if (BucketOf(_weights[i]) == cut)
                _cutBucket[entries++] = Key(i);
        }

        Span<ulong> sorted = _cutBucket.AsSpan(0, entries);
        sorted.Sort();
        int least = entries - 1;
        double keptMass = WeightOf(sorted[least]);
        for (int kept = 1; least > 0 && kept < maxCount && keptMass < mass; kept++)
            keptMass += WeightOf(sorted[--least]);
        return sorted[least];
    }

    private int Compact(int count, int cut, ulong leastKept)
    {
        int kept = 0;
        for (int i = 0; i < count; i++)
        {
            int bucket = BucketOf(_weights[i]);
            if (bucket < cut || (bucket == cut && Key(i) < leastKept))
                continue;
            _weights[kept] = _weights[i];
            _ids[kept++] = _ids[i];
        }

        return kept;
    }

    // Orders candidates by weight, among equals the lower id above the higher.
    private ulong Key(int candidate) => ((ulong)BitConverter.SingleToUInt32Bits(_weights[candidate]) << 32) | ~(uint)_ids[candidate];

    private static float WeightOf(ulong key) => BitConverter.UInt32BitsToSingle((uint)(key >> 32));

    private static int BucketOf(float weight) => Math.Min((int)(BitConverter.SingleToUInt32Bits(weight) >> BucketShift), Buckets - 1);

    private double Sum(int count)
    {
        double sum = 0;
        for (int i = 0; i < count; i++)
            sum += _weights[i];
        return double.IsFinite(sum) ? sum : throw NotFinite();
    }

    private static int IndexOfMax(ReadOnlySpan<float> scores, out float max)
    {
        max = float.NegativeInfinity;
        ReadOnlySpan<Vector<float>> vectors = MemoryMarshal.Cast<float, Vector<float>>(scores);
        var maxima = new Vector<float>(max);
        foreach (Vector<float> vector in vectors)
            maxima = Vector.Max(maxima, vector);
        for (int lane = 0; lane < Vector<float>.Count; lane++)
            max = MathF.Max(max, maxima[lane]);
        foreach (float score in scores[(vectors.Length * Vector<float>.Count)..])
            max = MathF.Max(max, score);
        return float.IsFinite(max) ? scores.IndexOf(max) : throw NotFinite();
    }

    private static double LogSumExp(ReadOnlySpan<float> logits)
    {
        IndexOfMax(logits, out float max);
        ReadOnlySpan<Vector<float>> vectors = MemoryMarshal.Cast<float, Vector<float>>(logits);
        Vector<double> low = default;
        Vector<double> high = default;
        foreach (Vector<float> vector in vectors)
        {
            Vector.Widen(Vector.Exp(vector - new Vector<float>(max)), out Vector<double> first, out Vector<double> second);
            low += first;
            high += second;
        }

        double sum = Vector.Sum(low + high);
        foreach (float logit in logits[(vectors.Length * Vector<float>.Count)..])
            sum += MathF.Exp(logit - max);
        return double.IsFinite(sum) ? max + Math.Log(sum) : throw NotFinite();
    }

    private static ArithmeticException NotFinite() => new("The model's logits are not finite.");
}
