using KvTiers.Conversations;
using KvTiers.Inference.Model;

namespace KvTiers.Inference.Tests.Model;

public sealed class SamplerTests
{
    private const int Draws = 4000;

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(8)]
    [InlineData(37)]
    [InlineData(1000)]
    public void GreedyTakesTheLikeliestAndAmongEqualsTheLowestId(int vocabulary)
    {
        var sampler = new Sampler(vocabulary);
        for (int best = 0; best < vocabulary; best += Math.Max(1, vocabulary / 11))
        {
            float[] logits = Enumerable.Repeat(-5f, vocabulary).ToArray();
            logits[best] = -1;
            logits[vocabulary - 1] = -1;

            Assert.Equal(best, sampler.Sample(logits, SamplingOptions.Greedy, null, default));
        }
    }

    [Fact]
    public void DrawsFollowTheProbabilitiesAtTheirTemperature()
    {
        float[] logits = [0, 1, 2, 3];
        int[] hits = Count(logits, new SamplingOptions { Temperature = 0.5 });

        double sum = logits.Sum(logit => Math.Exp(logit / 0.5));
        for (int id = 0; id < logits.Length; id++)
            Assert.Equal(Math.Exp(logits[id] / 0.5) / sum, (double)hits[id] / Draws, 0.03);
    }

    /// <summary>Their inverses are no floats.</summary>
    [Theory]
    [InlineData(double.Epsilon)]
    [InlineData(1e-320)]
    [InlineData(1e-45)]
    [InlineData(1e-39)]
    [InlineData(1e-10)]
    public void ATemperatureOrPenaltyOfNearlyNothingLeavesTheLikeliest(double tiny)
    {
        float[] logits = [3, 5, -1, 5, 0];
        var sampler = new Sampler(5);
        int[] drawn = [.. Enumerable.Range(0, 200).Select(i => sampler.Sample(logits, new SamplingOptions { Temperature = tiny, TopP = 0.9, MinP = 0.1, TopK = 4 }, null, new RandomDraw(1, i, 0))).Distinct().Order()];
        Assert.Equal([1, 3], drawn);

        var counts = new TokenCounts([0, 2, 4]);
        var penalised = new SamplingOptions { RepetitionPenalty = tiny, PresencePenalty = 2, Temperature = tiny };
        Assert.All(Enumerable.Range(0, 200), i => Assert.Equal(0, sampler.Sample(logits, penalised, counts, new RandomDraw(1, i, 0))));
    }

    [Fact]
    public void ABannedTokenIsNeverChosenWhateverElseIsAsked()
    {
        float[] logits = [3, 5, 1, 4];
        var options = new SamplingOptions { TopK = 2, LogitBias = [new LogitBias(1, 100)] };
        var sampler = new Sampler(4);

        Assert.Equal(3, sampler.Sample(logits, SamplingOptions.Greedy, null, default, [1, 900, -1]));
        Assert.Equal([0, 3], Enumerable.Range(0, 200).Select(i => sampler.Sample(logits, options, null, new RandomDraw(1, i, 0), [1])).Distinct().Order());
        Assert.Equal([3f, 5, 1, 4], logits);
        Assert.Throws<ArithmeticException>(() => sampler.Sample(logits, options, null, default, [0, 1, 2, 3]));
    }

    [Fact]
    public void ARankIsTheTokensPlaceAmongAll()
    {
        float[] logits = [3, 5, 1, 4, 4];

        Assert.Equal([4, 1, 5, 2, 2], Enumerable.Range(0, 5).Select(id => Sampler.Describe(logits, id, 0).Rank));
    }

    [Fact]
    public void TopKLeavesTheKLikeliestAndAmongEqualsTheLowerIds()
    {
        float[] logits = [1, 3, 2, 1, 1, 2, 0];

        Assert.Equal([1, 2, 5], Drawn(logits, new SamplingOptions { TopK = 3 }));
        Assert.Equal([0, 1, 2, 5], Drawn(logits, new SamplingOptions { TopK = 4 }));
        Assert.Equal([0, 1, 2, 3, 5], Drawn(logits, new SamplingOptions { TopK = 5 }));
        Assert.Equal([1], Drawn(logits, new SamplingOptions { TopK = 1 }));
        Assert.Equal([0, 1, 2, 3, 4, 5, 6], Drawn(logits, new SamplingOptions { TopK = 100 }));
    }

    [Fact]
    public void TopPLeavesTheFewestTokensThatReachTheShare()
    {
        float[] logits = Log(0.5, 0.1, 0.3, 0.1);

        Assert.Equal([0], Drawn(logits, new SamplingOptions { TopP = 0 }));
        Assert.Equal([0], Drawn(logits, new SamplingOptions { TopP = 0.49 }));
        Assert.Equal([0, 2], Drawn(logits, new SamplingOptions { TopP = 0.79 }));
        Assert.Equal([0, 1, 2], Drawn(logits, new SamplingOptions { TopP = 0.85 }));
        Assert.Equal([0, 1, 2, 3], Drawn(logits, new SamplingOptions { TopP = 1 }));
    }

    [Fact]
    public void TopPCountsTheShareAmongWhatTopKLeft()
    {
        float[] logits = Log(0.4, 0.3, 0.2, 0.1);

        Assert.Equal([0], Drawn(logits, new SamplingOptions { TopK = 2, TopP = 0.55 }));
        Assert.Equal([0, 1], Drawn(logits, new SamplingOptions { TopK = 2, TopP = 0.6 }));
    }

    [Fact]
    public void MinPLeavesTokensAtLeastThatFractionAsLikelyAsTheLikeliest()
    {
        float[] logits = Log(0.5, 0.24, 0.16, 0.1);

        Assert.Equal([0, 1], Drawn(logits, new SamplingOptions { MinP = 0.4 }));
        Assert.Equal([0], Drawn(logits, new SamplingOptions { MinP = 1 }));
    }

    [Fact]
    public void CutsAgreeWithASortOfTheWholeVocabulary()
    {
        var random = new Random(5);
        const int Vocabulary = 3000;
        var sampler = new Sampler(Vocabulary);
        for (int round = 0; round < 60; round++)
        {
            float scale = round % 3 == 0 ? 0.01f : 3;
            // Rounded, so that ties are common.
            float[] logits = Enumerable.Range(0, Vocabulary).Select(_ => MathF.Round((float)random.NextDouble() * scale, 2)).ToArray();
            var options = new SamplingOptions { TopK = round % 2 == 0 ? 1 + random.Next(Vocabulary) : 0, TopP = random.NextDouble() };

            HashSet<int> allowed = SortedCut(logits, options);
            for (int position = 0; position < 20; position++)
                Assert.Contains(sampler.Sample(logits, options, null, new RandomDraw(round, position, 0)), allowed);
        }
    }

    [Fact]
    public void RepetitionPenaltyWeakensTokensOfPromptAndOutput()
    {
        var counts = new TokenCounts([0]);
        counts.AddOutput(1);
        var options = new SamplingOptions { Temperature = 0, RepetitionPenalty = 2 };
        var sampler = new Sampler(3);

        Assert.Equal(2, sampler.Sample([3f, 3f, 2f], options, counts, default));
        Assert.Equal(2, sampler.Sample([-1f, -1f, -1.5f], options, counts, default));
        Assert.Equal(0, sampler.Sample([5f, 3f, 2f], options, counts, default));
    }

    [Fact]
    public void PresenceAndFrequencyPenaltiesCountTheOutputOnly()
    {
        var counts = new TokenCounts([0, 0, 0]);
        counts.AddOutput(1);
        counts.AddOutput(2);
        counts.AddOutput(2);
        var sampler = new Sampler(3);

        Assert.Equal(0, sampler.Sample([1f, 1.9f, 1.9f], new SamplingOptions { Temperature = 0, PresencePenalty = 1 }, counts, default));
        Assert.Equal(1, sampler.Sample([1f, 2.1f, 3.0f], new SamplingOptions { Temperature = 0, FrequencyPenalty = 1 }, counts, default));
        Assert.Equal(2, sampler.Sample([1f, 1f, 0f], new SamplingOptions { Temperature = 0, FrequencyPenalty = -2 }, counts, default));
    }

    [Fact]
    public void LogitBiasForcesAndBarsTokens()
    {
        float[] logits = [5, 1, 0];

        Assert.Equal([2], Drawn(logits, new SamplingOptions { LogitBias = [new LogitBias(2, 100)] }));
        Assert.Equal([1, 2], Drawn(logits, new SamplingOptions { LogitBias = [new LogitBias(0, -100), new LogitBias(9, 100)] }));
    }

    [Fact]
    public void ADrawDependsOnSeedPositionAndChoiceAndOnNothingElse()
    {
        float[] logits = new float[500];
        var options = new SamplingOptions();
        var first = new Sampler(500);
        var second = new Sampler(900);
        for (int i = 0; i < 50; i++)
            second.Sample(logits, options, null, new RandomDraw(9, i, 3));

        int[] once = Enumerable.Range(0, 50).Select(i => first.Sample(logits, options, null, new RandomDraw(1, i, 0))).ToArray();
        int[] again = Enumerable.Range(0, 50).Reverse().Select(i => second.Sample(logits, options, null, new RandomDraw(1, i, 0))).Reverse().ToArray();
        int[] otherSeed = Enumerable.Range(0, 50).Select(i => first.Sample(logits, options, null, new RandomDraw(2, i, 0))).ToArray();
        int[] otherChoice = Enumerable.Range(0, 50).Select(i => first.Sample(logits, options, null, new RandomDraw(1, i, 1))).ToArray();

        Assert.Equal(once, again);
        Assert.True(once.Distinct().Count() > 30);
        Assert.NotEqual(once, otherSeed);
        Assert.NotEqual(once, otherChoice);
    }

    [Fact]
    public void LogProbabilitiesAreTheLogSoftmaxWithTheLikeliestFirst()
    {
        float[] logits = Log(0.1, 0.4, 0.05, 0.4, 0.05);

        TokenLogProb described = Sampler.Describe(logits, 2, 3);

        Assert.Equal(2, described.Id);
        Assert.Equal(Math.Log(0.05), described.LogProb, 1e-6);
        Assert.Equal([1, 3, 0], described.Top.Select(top => top.Id));
        Assert.Equal([Math.Log(0.4), Math.Log(0.4), Math.Log(0.1)], described.Top.Select(top => top.LogProb), (a, b) => Math.Abs(a - b) < 1e-6);
        Assert.Empty(Sampler.Describe(logits, 2, 0).Top);
        Assert.Equal(5, Sampler.Describe(logits, 2, 20).Top.Count);
    }

    [Fact]
    public void LogProbabilitiesOfALongRowAddUpToOne()
    {
        var random = new Random(3);
        float[] logits = Enumerable.Range(0, 1003).Select(_ => (float)(random.NextDouble() * 30)).ToArray();

        double sum = Enumerable.Range(0, logits.Length).Sum(id => Math.Exp(Sampler.Describe(logits, id, 0).LogProb));

        Assert.Equal(1, sum, 1e-5);
    }

    [Fact]
    public void LogitsThatAreNotFiniteAreAnError()
    {
        float[] logits = [0, float.NaN, 1];
        var sampler = new Sampler(3);

        Assert.Throws<ArithmeticException>(() => sampler.Sample(logits, new SamplingOptions(), null, default));
        Assert.Throws<ArithmeticException>(() => sampler.Sample(logits, SamplingOptions.Greedy, null, default));
        Assert.Throws<ArithmeticException>(() => Sampler.Describe(logits, 0, 1));
        Assert.Throws<ArithmeticException>(() => sampler.Sample([float.PositiveInfinity, 0, 0], SamplingOptions.Greedy, null, default));
    }

    [Fact]
    public void SamplingAllocatesNothing()
    {
        float[] logits = Enumerable.Range(0, 4096).Select(i => (float)Math.Sin(i)).ToArray();
        var counts = new TokenCounts([1, 2, 3]);
        var options = new SamplingOptions { TopK = 50, TopP = 0.9, MinP = 0.01, RepetitionPenalty = 1.1, LogitBias = [new LogitBias(5, 1)] };
        var sampler = new Sampler(4096);
        sampler.Sample(logits, options, counts, new RandomDraw(1, 0, 0));

        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 100; i++)
            sampler.Sample(logits, options, counts, new RandomDraw(1, i, 0));

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    private static float[] Log(params double[] probabilities) => probabilities.Select(p => (float)Math.Log(p)).ToArray();

    private static int[] Drawn(float[] logits, SamplingOptions options)
    {
        int[] hits = Count(logits, options);
        return Enumerable.Range(0, logits.Length).Where(id => hits[id] > 0).ToArray();
    }

    private static int[] Count(float[] logits, SamplingOptions options)
    {
        var sampler = new Sampler(logits.Length);
        int[] hits = new int[logits.Length];
        for (int position = 0; position < Draws; position++)
            hits[sampler.Sample(logits, options, null, new RandomDraw(42, position, 0))]++;
        return hits;
    }

    private static HashSet<int> SortedCut(float[] logits, SamplingOptions options)
    {
        float max = logits.Max();
        (int Id, double Weight)[] sorted = logits.Select((logit, id) => (id, Math.Exp(logit - max)))
            .OrderByDescending(entry => entry.Item2).ThenBy(entry => entry.id).Take(options.TopK == 0 ? logits.Length : options.TopK).ToArray();
        double target = options.TopP * sorted.Sum(entry => entry.Weight);
        var allowed = new HashSet<int>();
        double mass = 0;
        foreach ((int id, double weight) in sorted)
        {
            allowed.Add(id);
            mass += weight;
            if (mass >= target * (1 + 1e-6))
                break;
        }

        return allowed;
    }
}
