using KvTiers.Conversations;
using KvTiers.Inference.Model;
using KvTiers.Inference.Scheduling;

namespace KvTiers.Inference.Tests.Scheduling;

/// <summary>Requests for the tiny model.</summary>
internal static class Requests
{
    public static readonly SamplingOptions Greedy = SamplingOptions.Greedy with { TopLogProbs = 3 };
    public static readonly SamplingOptions Seeded = new() { Temperature = 1.2, TopP = 0.95, RepetitionPenalty = 1.1, Seed = 7, TopLogProbs = 3 };

    /// <summary>Draws letters and strings of letters only, so that each token is readable text by itself.</summary>
    public static readonly SamplingOptions Letters = new()
    {
        Seed = 3,
        LogitBias = [.. Enumerable.Range(0, 259).Where(id => id - 3 is < 'a' or > 'z').Select(id => new LogitBias(id, -100))],
    };

    /// <summary>Random tokens, none of them special.</summary>
    public static int[] Tokens(int length, int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, length).Select(_ => random.Next(3, 640))];
    }

    public static GenerationRequest Of(int[] prompt, int newTokens = 40, SamplingOptions? sampling = null) => new()
    {
        Prompt = prompt,
        MaxNewTokens = newTokens,
        IgnoreEndOfText = true,
        Sampling = sampling ?? Greedy,
    };

    /// <summary>Eight requests of different length, half of them seeded.</summary>
    public static GenerationRequest[] Eight() =>
        [.. Enumerable.Range(0, 8).Select(i => Of(Tokens(21 + (i * 13), 100 + i), 20 + (i * 5), i % 2 == 0 ? Greedy : Seeded with { Seed = i }))];

    /// <summary>Same tokens, text and reason, and every log-probability to the bit.</summary>
    public static void AssertSame(GenerationResult expected, GenerationResult actual)
    {
        Assert.Equal(expected.Choices.Count, actual.Choices.Count);
        foreach ((ChoiceResult one, ChoiceResult other) in expected.Choices.Zip(actual.Choices))
            AssertSame(one, other);
    }

    public static void AssertSame(ChoiceResult expected, ChoiceResult actual)
    {
        Assert.Equal(expected.TokenIds, actual.TokenIds);
        Assert.Equal(expected.Text, actual.Text);
        Assert.Equal(expected.FinishReason, actual.FinishReason);
        AssertSame(expected.LogProbs!, actual.LogProbs!);
    }

    public static void AssertSame(IReadOnlyList<TokenLogProb?> expected, IReadOnlyList<TokenLogProb?> actual)
    {
        Assert.Equal(expected.Count, actual.Count);
        foreach ((TokenLogProb? left, TokenLogProb? right) in expected.Zip(actual))
        {
            Assert.Equal(left?.Id, right?.Id);
            Assert.Equal(Bits(left?.LogProb), Bits(right?.LogProb));
            Assert.Equal(left?.Top.Select(top => (top.Id, Bits(top.LogProb))), right?.Top.Select(top => (top.Id, Bits(top.LogProb))));
        }

        static long? Bits(double? value) => value is { } number ? BitConverter.DoubleToInt64Bits(number) : null;
    }
}
