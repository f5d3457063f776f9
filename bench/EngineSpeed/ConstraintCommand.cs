using System.CommandLine;
using System.Diagnostics;
using KvTiers.Bench.Reporting;
using KvTiers.Blocks;
using KvTiers.Conversations;
using KvTiers.Inference.Constraints;
using KvTiers.Inference.Model;
using KvTiers.Inference.Scheduling;
using KvTiers.Inference.Tokens;

namespace KvTiers.Bench.EngineSpeed;

/// <summary><c>constraint</c>: what holding an answer to a form adds to each token of the demo model, turn by turn in one run.</summary>
internal static class ConstraintCommand
{
    private const int Tokens = 300;
    private const int WarmUp = 5;

    private static readonly (string Name, AnswerFormat Format)[] Forms =
    [
        ("schema", AnswerFormat.JsonSchema("""{"type":"array","minItems":5000,"items":{"type":"object","properties":{"name":{"type":"string"},"size":{"type":"integer","minimum":0,"maximum":9999},"kind":{"enum":["small","large"]}},"required":["name","size","kind"],"additionalProperties":false}}""")),
        ("regex", AnswerFormat.Regex("([a-z]{3,9} ){5000}")),
        ("grammar", AnswerFormat.Grammar("root ::= (sum \";\"){5000}\nsum ::= sum [+] one | one\none ::= [0-9]{1,4} | \"(\" sum \")\"")),
    ];

    public static Command Create()
    {
        var output = ResultFile.Option();
        var pairs = new Option<int>("--pairs") { Description = "Free and held turns of 300 tokens; medians are reported.", DefaultValueFactory = _ => 81 };
        var command = new Command("constraint", "Measure decode of the demo model with and without a form that the answer is held to.") { output, pairs };
        command.SetAction((parsed, _) => RunAsync(parsed.GetValue(output), parsed.GetValue(pairs)));
        return command;
    }

    private static async Task RunAsync(DirectoryInfo? output, int pairs)
    {
        string folder = RepositoryRoot.PathOf("models", "demo");
        using var model = LanguageModel.Load(folder, new ModelOptions { Threads = Environment.ProcessorCount });
        var tokenizer = Tokenizer.Load(folder);
        using var cache = new KvCache(model.Config.CreateLayout(KvFormat.F32), new KvCacheOptions { HotBlocks = 256, Prefault = false });
        await using var engine = new Engine(model, tokenizer, cache, new EngineOptions());
        using var result = ResultFile.Create(output, "constraint", "form", "sampling", "free_us", "held_us", "added", "compile_ms");
        foreach ((string name, AnswerFormat format) in Forms)
        {
            long begin = Stopwatch.GetTimestamp();
            Constraint constraint = Constraint.Compile(format, tokenizer);
            double compileMs = Stopwatch.GetElapsedTime(begin).TotalMilliseconds;
            foreach ((string sampling, SamplingOptions options) in new[] { ("greedy", SamplingOptions.Greedy), ("drawn", new SamplingOptions { Seed = 1 }) })
            {
                double[] free = new double[pairs], held = new double[pairs], added = new double[pairs];
                for (int pair = -WarmUp; pair < pairs; pair++)
                {
                    // The first pairs warm up: code is compiled, and the masks are made.
                    double one = await MicrosecondsPerTokenAsync(engine, null, options);
                    double other = await MicrosecondsPerTokenAsync(engine, constraint, options);
                    if (pair >= 0)
                        (free[pair], held[pair], added[pair]) = (one, other, (other / one) - 1);
                }

                result.Add(name, sampling, Median(free), Median(held), Median(added), compileMs);
            }
        }
    }

    private static async Task<double> MicrosecondsPerTokenAsync(Engine engine, Constraint? constraint, SamplingOptions options)
    {
        GenerationResult result = await engine.Submit(new GenerationRequest
        {
            Prompt = engine.Tokenizer.Encode("Once upon a time"),
            MaxNewTokens = Tokens,
            IgnoreEndOfText = true,
            Constraint = constraint,
            Sampling = options,
        }).Completion;
        int tokens = result.Choices[0].TokenIds.Count;
        return tokens > Tokens / 2
            ? (result.Duration - result.TimeToFirstToken).TotalMicroseconds / (tokens - 1)
            : throw new InvalidOperationException($"The answer ended after {tokens} tokens, too early to be measured.");
    }

    private static double Median(double[] values) => values.Order().ElementAt(values.Length / 2);
}
