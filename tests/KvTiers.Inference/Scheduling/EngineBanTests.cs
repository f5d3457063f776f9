using KvTiers.Conversations;
using KvTiers.Inference.Model;
using KvTiers.Inference.Scheduling;

namespace KvTiers.Inference.Tests.Scheduling;

/// <summary>What may not come, what must come first, and what ends a choice beside the model's own tokens.</summary>
public sealed class EngineBanTests(TinyModel tiny) : IClassFixture<TinyModel>
{
    private const int End = 2;

    [Fact]
    public async Task ABadWordNeverComesHoweverItIsCutIntoTokens()
    {
        await using EngineHost host = Host();
        int banned = 0;
        for (int seed = 0; seed < 20; seed++)
        {
            GenerationRequest request = Requests.Of(Requests.Tokens(20, seed), 60, Requests.Letters with { Seed = seed }) with { Choices = 2 };
            string free = (await host.Run(request)).Choices[0].Text;
            string[] words = [free[10..12], free[20..23], free[30..31]];
            GenerationResult held = await host.Run(request with { BadWords = words });

            banned += words.Count(word => free.Contains(word, StringComparison.Ordinal));
            Assert.All(held.Choices, choice => Assert.All(words, word => Assert.DoesNotContain(word, choice.Text)));
            Assert.Equal(60, held.Choices[0].TokenIds.Count);
        }

        Assert.Equal(60, banned);
    }

    [Fact]
    public async Task WithoutTheirWordsNothingElseIsBanned()
    {
        await using EngineHost host = Host();
        GenerationRequest request = Requests.Of(Requests.Tokens(20, 1), 40, Requests.Letters);
        GenerationResult free = await host.Run(request);
        // A word of which all but the last letter comes, and a capital that never does.
        GenerationResult held = await host.Run(request with { BadWords = [free.Choices[0].Text[5..9] + "Q", "Z"] });

        Assert.Equal(free.Choices[0].TokenIds, held.Choices[0].TokenIds);
    }

    [Fact]
    public async Task ManyWordsLeaveOthersAndWhatCannotBeIsRefused()
    {
        await using EngineHost host = Host();
        // Every token that begins with one of the bytes of UTF-8 in a valid text is banned; those that can begin none are left.
        string[] words = [.. Enumerable.Range(1, 60).Select(code => ((char)code).ToString())];
        GenerationResult some = await host.Run(Requests.Of(Requests.Tokens(20, 1), 4) with { BadWords = words });

        Assert.Equal(4, some.Choices[0].TokenIds.Count);
        foreach ((string property, GenerationRequest request) in new (string, GenerationRequest)[]
        {
            ("BadWords", Requests.Of([5]) with { BadWords = [""] }),
            ("BadWords", Requests.Of([5]) with { BadWords = [new string('x', 257)] }),
            ("BadWords", Requests.Of([5]) with { BadWords = [.. Enumerable.Repeat("x", 65)] }),
            ("MinNewTokens", Requests.Of([5], 4) with { MinNewTokens = 5 }),
            ("MinNewTokens", Requests.Of([5], 4) with { MinNewTokens = -1 }),
            ("StopTokenIds", Requests.Of([5]) with { StopTokenIds = [640] }),
            ("StopTokenIds", Requests.Of([5]) with { StopTokenIds = [-1] }),
            ("StopTokenIds", Requests.Of([5]) with { StopTokenIds = [.. Enumerable.Repeat(5, 1025)] }),
        })
            Assert.Equal(property, Assert.Throws<ArgumentException>(() => { host.Engine.Submit(request); }).ParamName);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(7)]
    public async Task NoTokenEndsAChoiceBeforeItsLeastNumber(int least)
    {
        await using EngineHost host = Host();
        GenerationRequest request = new()
        {
            Prompt = Requests.Tokens(20, 3),
            MaxNewTokens = 10,
            MinNewTokens = least,
            Sampling = SamplingOptions.Greedy with { LogitBias = [new LogitBias(End, 100)] },
        };

        ChoiceResult ended = (await host.Run(request)).Choices[0];
        ChoiceResult stopped = (await host.Run(request with { StopTokenIds = [50], Sampling = SamplingOptions.Greedy with { LogitBias = [new LogitBias(50, 100)] } })).Choices[0];

        Assert.Equal((least + 1, FinishReason.Stop), (ended.TokenIds.Count, ended.FinishReason));
        Assert.Equal((least + 1, FinishReason.Stop, 50), (stopped.TokenIds.Count, stopped.FinishReason, stopped.StopTokenId));
        Assert.DoesNotContain(End, ended.TokenIds.Take(least));
    }

    [Fact]
    public async Task AStopStringIsLookedForBehindTheLeastNumberOfTokens()
    {
        await using EngineHost host = Host();
        GenerationRequest request = Requests.Of(Requests.Tokens(20, 2), 30, Requests.Letters);
        ChoiceResult free = (await host.Run(request)).Choices[0];
        string first = tiny.Tokenizer.Decode([free.TokenIds[0]]);
        int second = free.TokenIds.Index().Skip(5).First(token => tiny.Tokenizer.Decode([token.Item]).Contains(first[0])).Index;

        ChoiceResult stopped = (await host.Run(request with { StopStrings = [first[..1]], MinNewTokens = 5 })).Choices[0];

        Assert.Equal(second + 1, stopped.TokenIds.Count);
        Assert.StartsWith(first, stopped.Text);
    }

    [Fact]
    public async Task AStopIsPartOfTheTextWhereAskedFor()
    {
        await using EngineHost host = Host();
        GenerationRequest request = Requests.Of(Requests.Tokens(20, 2), 30, Requests.Letters);
        ChoiceResult free = (await host.Run(request)).Choices[0];
        string stop = free.Text[10..13];
        int token = free.TokenIds[6];
        int first = free.TokenIds.Index().First(one => one.Item == token).Index;

        ChoiceResult withString = (await host.Run(request with { StopStrings = [stop], IncludeStop = true })).Choices[0];
        ChoiceResult withToken = (await host.Run(request with { StopTokenIds = [token], IncludeStop = true })).Choices[0];
        ChoiceResult without = (await host.Run(request with { StopTokenIds = [token] })).Choices[0];

        Assert.Equal(free.Text[..(free.Text.IndexOf(stop, StringComparison.Ordinal) + 3)], withString.Text);
        Assert.Equal(tiny.Tokenizer.Decode([.. free.TokenIds.Take(first + 1)]), withToken.Text);
        Assert.Equal(tiny.Tokenizer.Decode([.. free.TokenIds.Take(first)]), without.Text);
        Assert.Equal(free.TokenIds.Take(first + 1), without.TokenIds);
    }

    private EngineHost Host() => new(tiny.WithThreads(1), tiny.Tokenizer);
}
