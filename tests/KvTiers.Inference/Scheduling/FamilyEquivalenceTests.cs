using KvTiers.Blocks;
using KvTiers.Inference.Model;
using KvTiers.Inference.Scheduling;
using KvTiers.Inference.Tests.Model;

namespace KvTiers.Inference.Tests.Scheduling;

/// <summary>Every family's answer is the same bits with the cache off, cold and hot, and in a batch, whatever its layers attend to.</summary>
public sealed class FamilyEquivalenceTests(TinyModel tiny) : IClassFixture<TinyModel>
{
    private const int Vocabulary = 96;

    public static TheoryData<string> Cases => [.. GoldenModels.Families];

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task TheAnswerIsTheSameWithTheCacheOffColdAndHot(string name)
    {
        using LanguageModel model = Load(name);
        GenerationRequest request = Requests.Of(Tokens(53, 1), 40, Requests.Seeded);
        await using var host = new EngineHost(model, tiny.Tokenizer, format: KvFormat.BF16);

        GenerationResult off = await host.Run(request with { UseCache = false });
        GenerationResult cold = await host.Run(request);
        GenerationResult hot = await host.Run(request);

        Assert.Equal((0, 0, 52), (off.CachedTokenCount, cold.CachedTokenCount, hot.CachedTokenCount));
        Assert.True(off.Choices[0].LogProbs!.DistinctBy(token => token.LogProb).Count() > 35, "An answer that does not depend on the context would prove nothing.");
        Requests.AssertSame(off, cold);
        Requests.AssertSame(off, hot);
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task TheAnswerIsTheSameInABatchOfWhichSomeShareAPrefix(string name)
    {
        using LanguageModel model = Load(name);
        int[] shared = Tokens(40, 2);
        GenerationRequest[] requests = [.. Enumerable.Range(0, 5).Select(i => Requests.Of([.. shared[..(8 * i)], .. Tokens(11 + 7 * i, 20 + i)], 12))];
        GenerationResult[] alone = new GenerationResult[requests.Length];
        await using (var off = new EngineHost(model, tiny.Tokenizer))
        {
            for (int i = 0; i < requests.Length; i++)
                alone[i] = await off.Run(requests[i] with { UseCache = false });
        }

        using LanguageModel again = Load(name);
        await using var host = new EngineHost(again, tiny.Tokenizer);
        GenerationResult[] together = await host.RunTogether(requests);

        for (int i = 0; i < requests.Length; i++)
            Requests.AssertSame(alone[i], together[i]);
    }

    private static LanguageModel Load(string name) => LanguageModel.Load(GoldenModels.Folder(name), new ModelOptions { Threads = 1 });

    private static int[] Tokens(int length, int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, length).Select(_ => random.Next(Vocabulary))];
    }
}
