namespace KvTiers.Bench.Encodings;

/// <summary>How far logits of the same answers lie apart.</summary>
/// <param name="AnswersChanged">Answers in which, after the same tokens, another token is the likeliest somewhere.</param>
/// <param name="MeanDivergence">Kullback-Leibler divergence, mean over all tokens, in nats.</param>
/// <param name="GreatestDivergence">The greatest of a token.</param>
internal sealed record LogitDifference(int AnswersChanged, double MeanDivergence, double GreatestDivergence)
{
    /// <summary>Compares.</summary>
    /// <param name="expected">[dialogues][tokens][vocabulary].</param>
    /// <param name="actual">The same.</param>
    /// <param name="vocabulary">Logits that count of each row.</param>
    public static LogitDifference Of(float[][][] expected, float[][][] actual, int vocabulary)
    {
        int changed = expected.Zip(actual).Count(pair => pair.First.Zip(pair.Second).Any(rows => Best(rows.First, vocabulary) != Best(rows.Second, vocabulary)));
        double[] divergences = [.. expected.Zip(actual).SelectMany(pair => pair.First.Zip(pair.Second)).Select(rows => Divergence(rows.First, rows.Second, vocabulary))];
        return new LogitDifference(changed, divergences.Average(), divergences.Max());
    }

    /// <summary>The likeliest token.</summary>
    public static int Best(float[] logits, int vocabulary)
    {
        int best = 0;
        for (int i = 1; i < vocabulary; i++)
            best = logits[i] > logits[best] ? i : best;

        return best;
    }

    // Divergence of the second distribution from the first, in nats.
    private static double Divergence(float[] expected, float[] actual, int vocabulary)
    {
        double p = LogSum(expected, vocabulary), q = LogSum(actual, vocabulary), sum = 0;
        for (int i = 0; i < vocabulary; i++)
        {
            double logP = expected[i] - p;
            sum += Math.Exp(logP) * (logP - (actual[i] - q));
        }

        return Math.Max(0, sum);
    }

    private static double LogSum(float[] logits, int vocabulary)
    {
        double largest = logits.Take(vocabulary).Max();
        return largest + Math.Log(logits.Take(vocabulary).Sum(logit => Math.Exp(logit - largest)));
    }
}
