using KvTiers.Conversations;
using KvTiers.Inference.Model;
using KvTiers.Inference.Scheduling;

namespace KvTiers.Inference.Tests.Scheduling;

/// <summary>Tokens as they come, their text, and where it ends.</summary>
public sealed class EngineTextTests(TinyModel tiny) : IClassFixture<TinyModel>
{
    [Fact]
    public async Task TheTokensComeInOrderAndTheirTextsJoinedAreTheText()
    {
        await using EngineHost host = Host();
        Generation generation = host.Engine.Submit(Requests.Of(Requests.Tokens(20, 1), 50, Requests.Seeded) with { Choices = 2 });

        List<GeneratedToken> tokens = await ReadAll(generation);
        GenerationResult result = await generation.Completion;

        for (int choice = 0; choice < 2; choice++)
        {
            GeneratedToken[] own = [.. tokens.Where(token => token.Choice == choice)];
            Assert.Equal(result.Choices[choice].TokenIds, own.Select(token => token.Id));
            Assert.Equal(result.Choices[choice].LogProbs, own.Select(token => token.LogProb));
            Assert.Equal(result.Choices[choice].Text, string.Concat(own.Select(token => token.Text)));
            Assert.Equal(tiny.Tokenizer.Decode([.. result.Choices[choice].TokenIds]), result.Choices[choice].Text);
        }
    }

    [Fact]
    public async Task AStopStringAcrossTokensEndsTheTextBeforeIt()
    {
        await using EngineHost host = Host();
        GenerationRequest request = Requests.Of(Requests.Tokens(20, 2), 30, Requests.Letters);
        GenerationResult free = await host.Run(request);
        string text = free.Choices[0].Text;
        string[] pieces = [.. free.Choices[0].TokenIds.Select(id => tiny.Tokenizer.Decode([id]))];
        Assert.All(pieces, piece => Assert.True(piece.Length is 1 or 2, piece));

        // From the last letter of the 10th token into the 12th.
        int start = pieces.Take(10).Sum(piece => piece.Length) - 1;
        string stop = text.Substring(start, 2 + pieces[10].Length);
        Assert.Equal(start, text.IndexOf(stop, StringComparison.Ordinal));
        Generation generation = host.Engine.Submit(request with { StopStrings = ["never this", stop] });
        List<GeneratedToken> tokens = await ReadAll(generation);
        GenerationResult stopped = await generation.Completion;

        Assert.Equal(text[..start], stopped.Choices[0].Text);
        Assert.Equal(text[..start], string.Concat(tokens.Select(token => token.Text)));
        Assert.Equal((FinishReason.Stop, stop), (stopped.Choices[0].FinishReason, stopped.Choices[0].StopString));
        Assert.Equal(free.Choices[0].TokenIds.Take(12), stopped.Choices[0].TokenIds);
    }

    [Fact]
    public async Task AStopStringThatDoesNotCompleteIsDeliveredAtTheEnd()
    {
        await using EngineHost host = Host();
        GenerationRequest request = Requests.Of(Requests.Tokens(20, 2), 10, Requests.Letters);
        GenerationResult free = await host.Run(request);
        string text = free.Choices[0].Text;

        GenerationResult held = await host.Run(request with { StopStrings = [text[^2..] + "never this"] });

        Assert.Equal(text, held.Choices[0].Text);
        Assert.Equal((FinishReason.Length, (string?)null), (held.Choices[0].FinishReason, held.Choices[0].StopString));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(2)]
    public async Task AnEndOfTextTokenEndsTheChoiceAndHasNoText(int end)
    {
        await using EngineHost host = Host();
        GenerationRequest request = new()
        {
            Prompt = Requests.Tokens(20, 3),
            MaxNewTokens = 10,
            Sampling = SamplingOptions.Greedy with { LogitBias = [new LogitBias(end, 100)] },
        };

        ChoiceResult ended = (await host.Run(request)).Choices[0];
        ChoiceResult ignored = (await host.Run(request with { IgnoreEndOfText = true })).Choices[0];

        Assert.Equal([end], ended.TokenIds);
        Assert.Equal(("", FinishReason.Stop), (ended.Text, ended.FinishReason));
        Assert.Equal((10, "", FinishReason.Length), (ignored.TokenIds.Count, ignored.Text, ignored.FinishReason));
    }

    [Fact]
    public async Task NoNewTokensComputesThePromptAndLeavesItInTheCache()
    {
        int[] prompt = Requests.Tokens(50, 4);
        await using EngineHost host = Host();

        GenerationResult warmed = await host.Run(Requests.Of(prompt, newTokens: 0) with { Choices = 2 });
        GenerationResult next = await host.Run(Requests.Of([.. prompt, 5], newTokens: 1));

        Assert.Equal((50, 2, FinishReason.Length), (warmed.ComputedTokenCount, warmed.Choices.Count, warmed.Choices[1].FinishReason));
        Assert.All(warmed.Choices, choice => Assert.Empty(choice.TokenIds));
        Assert.Equal(50, next.CachedTokenCount);
    }

    [Fact]
    public async Task TheContextLengthEndsAChoice()
    {
        await using EngineHost host = Host(blocks: 300);

        GenerationResult result = await host.Run(Requests.Of(Requests.Tokens(4090, 5), newTokens: 100));

        Assert.Equal((6, FinishReason.Length), (result.Choices[0].TokenIds.Count, result.Choices[0].FinishReason));
    }

    [Fact]
    public async Task TheSizeOfThePoolEndsAChoice()
    {
        await using EngineHost host = Host(blocks: 4);

        GenerationResult result = await host.Run(Requests.Of(Requests.Tokens(60, 5), newTokens: 100));

        Assert.Equal((4, FinishReason.Length), (result.Choices[0].TokenIds.Count, result.Choices[0].FinishReason));
    }

    [Fact]
    public async Task WithoutASeedTheEnginePicksOneAndReportsIt()
    {
        await using EngineHost host = Host();
        GenerationRequest request = Requests.Of(Requests.Tokens(20, 6), 20, Requests.Seeded with { Seed = null });

        GenerationResult first = await host.Run(request);
        GenerationResult second = await host.Run(request);
        GenerationResult again = await host.Run(request with { Sampling = request.Sampling with { Seed = first.Seed } });

        Assert.NotEqual(first.Seed, second.Seed);
        Requests.AssertSame(first, again);
    }

    private static async Task<List<GeneratedToken>> ReadAll(Generation generation)
    {
        var tokens = new List<GeneratedToken>();
        await foreach (GeneratedToken token in generation.ReadAllAsync())
            tokens.Add(token);
        return tokens;
    }

    private EngineHost Host(int blocks = 256) => new(tiny.WithThreads(1), tiny.Tokenizer, blocks);
}
