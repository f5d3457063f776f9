using System.Text.Json.Nodes;
using KvTiers.Inference.Model;
using KvTiers.Inference.Scheduling;
using KvTiers.Inference.Tokens;
using KvTiers.MakeModel;
using KvTiers.Tests.Shared;

namespace KvTiers.Inference.Tests.Scheduling;

/// <summary>Beam search finds what a plain search finds that computes each beam by itself, and holds little more than one sequence.</summary>
public sealed class BeamSearchTests(TinyModel tiny) : IClassFixture<TinyModel>
{
    [Theory]
    [InlineData(1, 1, 1.0, 24)]
    [InlineData(4, 2, 1.0, 24)]
    [InlineData(4, 4, 0.0, 9)]
    [InlineData(5, 3, -1.5, 12)]
    [InlineData(6, 6, 2.0, 20)]
    public async Task TheAnswersAreThoseOfAPlainSearch(int width, int choices, double lengthPenalty, int newTokens)
    {
        int[] prompt = Requests.Tokens(37, 11);
        int[] ends = await EndsThatComeUp(prompt);
        await using var host = new EngineHost(tiny.WithThreads(1), TokenizerThatEndsWith(ends));
        List<(int[] Tokens, double Score)> expected = await PlainSearch(host, prompt, width, lengthPenalty, newTokens, ends);

        foreach (bool useCache in new[] { true, true, false })
        {
            GenerationResult found = await host.Run(Beams(prompt, width, choices, newTokens, lengthPenalty) with { UseCache = useCache });
            Assert.Equal(expected.Take(choices).Select(best => best.Tokens), found.Choices.Select(choice => choice.TokenIds));
            Assert.All(found.Choices, choice => Assert.Equal(ends.Contains(choice.TokenIds[^1]) ? FinishReason.Stop : FinishReason.Length, choice.FinishReason));
        }

        Assert.True(width == 1 || expected.Count(best => ends.Contains(best.Tokens[^1])) is var ended && ended > 0 && ended < expected.Count, "Without ends on the way this would prove little.");
    }

    [Theory]
    [InlineData(8, 64)]
    [InlineData(256, 1)]
    [InlineData(256, 3)]
    [InlineData(9, 2)]
    public async Task TheAnswersAreTheSameWhereBlocksOrPlacesRunOut(int blocks, int maxRunning)
    {
        int[][] prompts = [Requests.Tokens(60, 1), Requests.Tokens(41, 2), Requests.Tokens(21, 3)];
        GenerationRequest[] requests = [.. prompts.Select(prompt => Beams(prompt, 4, 2, 30)), Requests.Of(prompts[1], 20)];
        await using EngineHost ample = Host();
        await using EngineHost tight = Host(blocks, new EngineOptions { MaxRunning = maxRunning });
        GenerationResult[] expected = [.. await Task.WhenAll(requests.Select(request => ample.Run(request)))];

        GenerationResult[] found = await tight.RunTogether(requests);
        GenerationResult[] withoutCache = await tight.RunTogether(requests.Select(request => request with { UseCache = false }));

        foreach ((GenerationResult one, GenerationResult other) in expected.Zip(found).Concat(expected.Zip(withoutCache)))
            Assert.Equal(one.Choices.Select(choice => choice.TokenIds), other.Choices.Select(choice => choice.TokenIds));
        Assert.Equal(blocks, tight.AvailableBlocks);
    }

    [Fact]
    public async Task BeamsShareEveryBlockButTheirLast()
    {
        const int Width = 8;
        int[] prompt = Requests.Tokens(163, 5);
        int most = 0;
        EngineHost? host = null;
        await using EngineHost counted = host = new EngineHost(
            new HookedModel(tiny.WithThreads(1), _ => most = Math.Max(most, host!.Cache.Pool.Capacity - host.AvailableBlocks)), tiny.Tokenizer);

        GenerationResult result = await counted.Run(Beams(prompt, Width, Width, 12));

        Assert.Equal(Width, result.Choices.Select(choice => string.Join(',', choice.TokenIds)).Distinct().Count());
        Assert.InRange(most, 11, 10 + Width);
        Assert.Equal(163, result.ComputedTokenCount);
        Assert.Equal(0, result.RecomputedTokenCount);
        Assert.Equal(256, counted.AvailableBlocks);
    }

    [Fact]
    public async Task ACancelledSearchGivesItsBlocksBackAndAnswersWithTheBestSoFar()
    {
        using var stop = new CancellationTokenSource();
        int steps = 0;
        await using var host = new EngineHost(new HookedModel(tiny.WithThreads(1), _ =>
        {
            if (++steps == 6)
                stop.Cancel();
        }), tiny.Tokenizer);

        GenerationResult result = await host.Run(Beams(Requests.Tokens(30, 6), 4, 2, 200), stop.Token);

        Assert.All(result.Choices, choice => Assert.Equal((FinishReason.Cancelled, true), (choice.FinishReason, choice.TokenIds.Count is >= 1 and < 20)));
        Assert.Equal(256, host.AvailableBlocks);
    }

    [Theory]
    [InlineData(nameof(EngineStage.Admit), 3)]
    [InlineData(nameof(EngineStage.MakeRoom), 9)]
    [InlineData(nameof(EngineStage.GiveWay), 2)]
    [InlineData(nameof(EngineStage.Batch), 7)]
    [InlineData(nameof(EngineStage.Append), 7)]
    [InlineData(nameof(EngineStage.Sample), 7)]
    [InlineData(nameof(EngineStage.Fork), 1)]
    [InlineData(nameof(EngineStage.Fork), 4)]
    [InlineData(nameof(EngineStage.End), 2)]
    public async Task WhatThrowsForABeamEndsItsSearchAndNoOther(string stage, int occurrence)
    {
        GenerationRequest plain = Requests.Of(Requests.Tokens(41, 2), 20);
        GenerationRequest search = Beams(Requests.Tokens(60, 1), 4, 2, 30);
        await using EngineHost ample = Host();
        GenerationResult expected = await ample.Run(plain);
        await using EngineHost tight = Host(blocks: 9);
        int seen = 0;
        tight.Engine.BeforeStage = (at, sequence) =>
        {
            if (at.ToString() == stage && sequence.Generation.Request.Beams is not null && ++seen == occurrence)
                throw new IOException("Injected.");
        };

        Generation fails = tight.Engine.Submit(search);
        Generation goesOn = tight.Engine.Submit(plain);

        await Assert.ThrowsAsync<GenerationFailedException>(() => fails.Completion.WaitAsync(HangLimit.Time));
        Requests.AssertSame(expected, await goesOn.Completion.WaitAsync(HangLimit.Time));
        Assert.Equal(9, tight.AvailableBlocks);
    }

    [Fact]
    public async Task TheTokensAreTold()
    {
        await using EngineHost host = Host();
        Generation generation = host.Engine.Submit(Beams(Requests.Tokens(30, 7), 3, 2, 15));
        var told = new List<int>[] { [], [] };
        string[] texts = ["", ""];
        await foreach (GeneratedToken token in generation.ReadAllAsync())
        {
            told[token.Choice].Add(token.Id);
            texts[token.Choice] += token.Text;
        }

        GenerationResult result = await generation.Completion;
        Assert.Equal(told, result.Choices.Select(choice => choice.TokenIds));
        Assert.Equal(texts, result.Choices.Select(choice => choice.Text));
    }

    [Fact]
    public async Task WhatABeamSearchCannotTakeIsRefused()
    {
        await using EngineHost host = Host();
        GenerationRequest good = Beams(Requests.Tokens(5, 8), 4, 2, 3);
        AssertRefused(nameof(GenerationRequest.Beams), good with { Beams = new BeamSearchOptions { Width = 65 } });
        AssertRefused(nameof(GenerationRequest.Beams), good with { Beams = new BeamSearchOptions { Width = 0 } });
        AssertRefused(nameof(GenerationRequest.Beams), good with { Beams = new BeamSearchOptions { Width = 4, LengthPenalty = double.NaN } });
        AssertRefused(nameof(GenerationRequest.Choices), good with { Choices = 5 });
        AssertRefused(nameof(GenerationRequest.Sampling), good with { Sampling = new SamplingOptions() });
        AssertRefused(nameof(GenerationRequest.StopStrings), good with { StopStrings = ["x"] });
        AssertRefused(nameof(GenerationRequest.KeepLease), good with { KeepLease = true });

        void AssertRefused(string property, GenerationRequest request) =>
            Assert.Equal(property, Assert.Throws<ArgumentException>(() => host.Engine.Submit(request)).ParamName);
    }

    // The search as it is written down: every beam is computed by itself from nothing, and nothing ends before the last step.
    private static async Task<List<(int[] Tokens, double Score)>> PlainSearch(EngineHost host, int[] prompt, int width, double lengthPenalty, int newTokens, int[] ends)
    {
        List<(int[] Tokens, double Sum)> beams = [([], 0)];
        List<(int[] Tokens, double Score)> ended = [];
        for (int length = 1; length <= newTokens; length++)
        {
            List<(int[] Tokens, double Sum)> next = [];
            foreach ((int[] tokens, double sum) in beams)
            {
                GenerationRequest alone = Requests.Of([.. prompt, .. tokens], 1, SamplingOptions.Greedy with { TopLogProbs = 20 }) with { UseCache = false };
                TokenLogProb row = (await host.Run(alone)).Choices[0].LogProbs![0];
                foreach (TokenAlternative candidate in row.Top.Take(Math.Max(2 * width, width + ends.Length)))
                {
                    if (ends.Contains(candidate.Id))
                        ended.Add(([.. tokens, candidate.Id], (sum + candidate.LogProb) / Math.Pow(length, lengthPenalty)));
                    else
                        next.Add(([.. tokens, candidate.Id], sum + candidate.LogProb));
                }
            }

            beams = [.. next.OrderByDescending(beam => beam.Sum).Take(width)];
        }

        return [.. ended.Concat(beams.Select(beam => (beam.Tokens, beam.Sum / Math.Pow(newTokens, lengthPenalty)))).OrderByDescending(best => best.Item2)];
    }

    // Tokens that a greedy answer and its neighbours hold, so that some beams end on the way.
    private async Task<int[]> EndsThatComeUp(int[] prompt)
    {
        await using EngineHost host = Host();
        GenerationResult greedy = await host.Run(Requests.Of(prompt, 9));
        return [greedy.Choices[0].TokenIds[7], greedy.Choices[0].LogProbs![3].Top[1].Id];
    }

    private static Tokenizer TokenizerThatEndsWith(int[] ends)
    {
        using var folder = new TemporaryFolder();
        RandomModel.Write(ModelShape.Find("tiny"), folder.Path);
        foreach (string name in new[] { "config.json", "generation_config.json" })
        {
            JsonNode json = JsonNode.Parse(File.ReadAllText(folder.Sub(name)))!;
            json["eos_token_id"] = new JsonArray([.. ends.Select(id => (JsonNode)id)]);
            File.WriteAllText(folder.Sub(name), json.ToJsonString());
        }

        return Tokenizer.Load(folder.Path);
    }

    private EngineHost Host(int blocks = 256, EngineOptions? options = null) => new(tiny.WithThreads(1), tiny.Tokenizer, blocks, options);

    private static GenerationRequest Beams(int[] prompt, int width, int choices, int newTokens, double lengthPenalty = 1) => new()
    {
        Prompt = prompt,
        MaxNewTokens = newTokens,
        Choices = choices,
        Sampling = SamplingOptions.Greedy,
        Beams = new BeamSearchOptions { Width = width, LengthPenalty = lengthPenalty },
    };
}
