using System.Text;
using KvTiers.Conversations;
using KvTiers.Inference.Constraints;
using KvTiers.Inference.Constraints.Automata;
using KvTiers.Inference.Model;
using KvTiers.Inference.Scheduling;
using KvTiers.Inference.Tests.Scheduling;

namespace KvTiers.Inference.Tests.Constraints;

/// <summary>Constraints in the engine, over a model of random weights that would say anything.</summary>
public sealed class ConstrainedEngineTests(TinyModel tiny) : IClassFixture<TinyModel>
{
    private const string Schema = """{"type":"object","properties":{"name":{"type":"string","maxLength":12},"size":{"type":"integer","minimum":0,"maximum":999},"kind":{"enum":["a","b"]}},"required":["name","size","kind"],"additionalProperties":false}""";

    private static readonly SamplingOptions Sampled = new() { Seed = 5, TopLogProbs = 2, TopP = 0.9, RepetitionPenalty = 1.2 };

    [Fact]
    public async Task AnswersAreOfTheSchemaGreedyAndDrawn()
    {
        await using EngineHost host = new(tiny.WithThreads(1), tiny.Tokenizer);
        Constraint constraint = Compile(AnswerFormat.JsonSchema(Schema));
        GenerationResult[] results = await host.RunTogether(Enumerable.Range(0, 24).Select(i =>
            Request(i, constraint, i % 3 == 0 ? SamplingOptions.Greedy : Sampled with { Seed = i, Temperature = 1.5, TopK = i % 2 == 0 ? 0 : 5 })));
        Assert.All(results, result =>
        {
            Assert.Equal(FinishReason.Stop, result.Choices[0].FinishReason);
            Assert.True(Oracle.IsValid(Schema, result.Choices[0].Text), result.Choices[0].Text);
        });
    }

    [Fact]
    public async Task AnAnswerEndsWithItsLastTokenWhereNothingMayFollow()
    {
        await using EngineHost host = new(tiny.WithThreads(1), tiny.Tokenizer);
        ChoiceResult answer = (await host.Run(Request(1, Compile(AnswerFormat.Choice(["yes", "no"])), Sampled))).Choices[0];
        Assert.Contains(answer.Text, (string[])["yes", "no"]);
        Assert.Equal(FinishReason.Stop, answer.FinishReason);
        Assert.Equal(answer.Text, tiny.Tokenizer.Decode([.. answer.TokenIds], skipSpecial: false));
    }

    [Fact]
    public async Task EachChoiceHasItsOwnPlaceInTheGrammar()
    {
        await using EngineHost host = new(tiny.WithThreads(1), tiny.Tokenizer);
        GenerationResult result = await host.Run(Request(2, Compile(AnswerFormat.JsonSchema(Schema)), Sampled with { Temperature = 2, TopP = 1 }) with { Choices = 8 });
        Assert.All(result.Choices, choice => Assert.True(Oracle.IsValid(Schema, choice.Text), choice.Text));
        Assert.True(result.Choices.Select(choice => choice.Text).Distinct().Count() > 4);
    }

    [Fact]
    public async Task ATextThatItsLengthEndsIsTheBeginningOfOneThatIsAllowed()
    {
        await using EngineHost host = new(tiny.WithThreads(1), tiny.Tokenizer);
        Constraint constraint = Compile(AnswerFormat.JsonSchema(Schema));
        ChoiceResult answer = (await host.Run(Request(3, constraint, Sampled) with { MaxNewTokens = 4 })).Choices[0];
        Assert.Equal(FinishReason.Length, answer.FinishReason);
        var text = new ConstrainedText(constraint, mayEnd: true);
        foreach (int id in answer.TokenIds)
        {
            Assert.True(Walk.Has(text.Allowed(), id));
            text.Append(id);
        }
    }

    [Fact]
    public async Task TheTokensAreTheSameWhateverTheCacheDidAndWhoeverRunsBeside()
    {
        Constraint constraint = Compile(AnswerFormat.JsonSchema(Schema));
        GenerationRequest[] requests = [.. Enumerable.Range(0, 6).Select(i => Request(10 + i, constraint, Sampled with { Seed = i }))];
        var alone = new List<GenerationResult>();
        await using (EngineHost host = new(tiny.WithThreads(1), tiny.Tokenizer))
        {
            foreach (GenerationRequest request in requests)
                alone.Add(await host.Run(request with { UseCache = false }));
        }

        // So few blocks that sequences must give way in the middle of their answers.
        await using EngineHost small = new(tiny.WithThreads(1), tiny.Tokenizer, blocks: 12);
        GenerationResult[] together = await small.RunTogether(requests);
        GenerationResult[] again = await small.RunTogether(requests);
        Assert.True(small.Engine.Snapshot().Preemptions > 0);
        for (int i = 0; i < requests.Length; i++)
        {
            Requests.AssertSame(alone[i], together[i]);
            Requests.AssertSame(alone[i], again[i]);
        }
    }

    [Fact]
    public async Task LogProbabilitiesStayThoseOfTheModel()
    {
        await using EngineHost host = new(tiny.WithThreads(1), tiny.Tokenizer);
        GenerationRequest free = Request(4, null, SamplingOptions.Greedy with { TopLogProbs = 3 }) with { MaxNewTokens = 1 };
        GenerationResult held = await host.Run(free with { Constraint = Compile(AnswerFormat.Choice(["only this"])), MaxNewTokens = 20 });
        TokenLogProb expected = (await host.Run(free)).Choices[0].LogProbs![0];
        TokenLogProb actual = held.Choices[0].LogProbs![0];
        Assert.Equal("only this", held.Choices[0].Text);
        Assert.Equal(expected.Top.Select(top => top.Id), actual.Top.Select(top => top.Id));
        Assert.NotEqual(expected.Id, actual.Id);
    }

    [Fact]
    public async Task WithoutEndOfTextOnlyTheGrammarEndsTheAnswer()
    {
        await using EngineHost host = new(tiny.WithThreads(1), tiny.Tokenizer);
        ChoiceResult answer = (await host.Run(Request(5, Compile(AnswerFormat.Regex("(ab)+")), Sampled) with { IgnoreEndOfText = true, MaxNewTokens = 30 })).Choices[0];
        Assert.Equal(FinishReason.Length, answer.FinishReason);
        Assert.Equal("", answer.Text.Replace("ab", "").Replace("a", ""));
    }

    [Fact]
    public async Task AConstraintOfAnotherTokenizerIsRefused()
    {
        await using EngineHost host = new(tiny.WithThreads(1), tiny.Tokenizer);
        var foreign = Constraint.Compile(AnswerFormat.Regex("a+"), TestTokenizer.Demo);
        Assert.Equal("Constraint", Assert.Throws<ArgumentException>(() => host.Engine.Submit(Request(6, foreign, Sampled))).ParamName);
    }

    [Fact]
    public async Task WhatIsTooAmbiguousFailsAlone()
    {
        await using EngineHost host = new(tiny.WithThreads(1), tiny.Tokenizer);
        Constraint hostile = Compile(AnswerFormat.Regex($"x{{60}}(?:{string.Join('|', Enumerable.Range(65, 4_200).Select(count => $"[ab]{{{count}}}c"))})"));
        Task<GenerationResult> failing = host.Run(Request(7, hostile, Sampled) with { MaxNewTokens = 900 });
        GenerationResult other = await host.Run(Request(8, null, Sampled));
        var error = await Assert.ThrowsAsync<GenerationFailedException>(() => failing);
        Assert.Contains("too ambiguous", error.Message);
        Assert.Equal(100, other.Choices[0].TokenIds.Count);
    }

    [Fact]
    public void MasksThatAreKeptCostNoAllocation()
    {
        Constraint constraint = Compile(AnswerFormat.JsonSchema(Schema));
        int[] ids = tiny.Tokenizer.Encode("""{"name":"abc","size":12,"kind":"a""", addSpecial: false);
        for (int turn = 0; turn < 3; turn++)
            Take();
        long before = GC.GetAllocatedBytesForCurrentThread();
        Take();
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);

        void Take()
        {
            AutomatonState state = constraint.Start;
            foreach (int id in ids)
            {
                constraint.MaskOf(state);
                state = constraint.Advance(state, id);
            }
        }
    }

    [Fact]
    public void PartsOfACharacterMayBeTokens()
    {
        Constraint constraint = Compile(AnswerFormat.Regex("日本"));
        var text = new ConstrainedText(constraint, mayEnd: true);
        byte[] bytes = Encoding.UTF8.GetBytes("日本");
        Dictionary<byte, int> single = Enumerable.Range(0, tiny.Tokenizer.VocabularySize)
            .Where(id => !tiny.Tokenizer.IsSpecial(id) && tiny.Tokenizer.TokenBytes(id).Length == 1).ToDictionary(id => tiny.Tokenizer.TokenBytes(id)[0]);
        foreach (byte value in bytes)
        {
            Assert.True(Walk.Has(text.Allowed(), single[value]));
            text.Append(single[value]);
        }

        Assert.True(text.IsComplete);
    }

    private Constraint Compile(AnswerFormat format) => Constraint.Compile(format, tiny.Tokenizer);

    private static GenerationRequest Request(int seed, Constraint? constraint, SamplingOptions sampling) => new()
    {
        Prompt = Requests.Tokens(20 + seed, seed),
        MaxNewTokens = 100,
        Constraint = constraint,
        Sampling = sampling,
        IgnoreEndOfText = constraint is null,
    };
}
