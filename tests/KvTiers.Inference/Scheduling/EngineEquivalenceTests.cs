using KvTiers.Blocks;
using KvTiers.Inference.Model;
using KvTiers.Inference.Scheduling;

namespace KvTiers.Inference.Tests.Scheduling;

/// <summary>One request gives one answer, bit for bit, whatever the circumstances.</summary>
public sealed class EngineEquivalenceTests(TinyModel tiny)
{
    private static readonly SamplingOptions Greedy = SamplingOptions.Greedy with { TopLogProbs = 3 };
    private static readonly SamplingOptions Seeded = new() { Temperature = 1.2, TopP = 0.95, RepetitionPenalty = 1.1, Seed = 7, TopLogProbs = 3 };

    public static TheoryData<bool> GreedyOrSeeded => [true, false];

    [Theory]
    [MemberData(nameof(GreedyOrSeeded))]
    public async Task TheAnswerIsTheSameWithTheCacheOffColdAndHot(bool greedy)
    {
        GenerationRequest request = Request(0, greedy);
        await using EngineHost host = Host();

        GenerationResult off = await host.Run(request with { UseCache = false });
        GenerationResult cold = await host.Run(request);
        GenerationResult hot = await host.Run(request);

        Assert.Equal(0, cold.CachedTokenCount);
        Assert.Equal(request.Prompt.Length - 1, hot.CachedTokenCount);
        Assert.True(off.Choices[0].TokenIds.Distinct().Count() > 5, "The model must not repeat one token for this to mean anything.");
        AssertSame(off, cold);
        AssertSame(off, hot);
    }

    private static GenerationRequest Request(int number, bool greedy) => new()
    {
        Prompt = Prompt(37 + (number * 5), number),
        MaxNewTokens = 40,
        IgnoreEndOfText = true,
        Sampling = greedy ? Greedy : Seeded,
    };

    private static int[] Prompt(int length, int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, length).Select(_ => random.Next(3, 640))];
    }

    private EngineHost Host(int threads = 1, int blocks = 256, EngineOptions? options = null, KvFormat format = KvFormat.F32) =>
        new(tiny.WithThreads(threads), tiny.Tokenizer, blocks, options, format);

    private static void AssertSame(GenerationResult expected, GenerationResult actual)
    {
        foreach ((ChoiceResult one, ChoiceResult other) in expected.Choices.Zip(actual.Choices))
        {
            Assert.Equal(one.TokenIds, other.TokenIds);
            Assert.Equal(one.Text, other.Text);
            Assert.Equal(one.FinishReason, other.FinishReason);
            foreach ((TokenLogProb left, TokenLogProb right) in one.LogProbs!.Zip(other.LogProbs!))
            {
                Assert.Equal(BitConverter.DoubleToInt64Bits(left.LogProb), BitConverter.DoubleToInt64Bits(right.LogProb));
                Assert.Equal(left.Top, right.Top);
            }
        }
    }
}
