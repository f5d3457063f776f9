using System.CommandLine;
using System.Diagnostics;
using KvTiers.Bench.Reporting;
using KvTiers.Inference.Model;
using KvTiers.Inference.Scheduling;

namespace KvTiers.Bench.Serving;

/// <summary>
/// <c>cache-on-off</c>: what keeping keys and values is worth. On, an answer's tokens are computed one by one over the
/// kept ones; off, every new token computes the whole sequence again. The same tokens come out.
/// </summary>
internal static class CacheOnOffCommand
{
    private static readonly (string Shape, int Prompt, int New)[] Cases = [("gpt2", 29, 100), ("smollm2-135m", 500, 100)];

    public static Command Create()
    {
        var output = ResultFile.Option();
        var models = new Option<DirectoryInfo>("--models")
        {
            Description = "Folder for the random-weight models, made when missing.",
            DefaultValueFactory = _ => new DirectoryInfo(Path.Combine(Path.GetTempPath(), "kvtiers-bench-models")),
        };
        var repeat = new Option<int>("--repeat") { Description = "Runs of each kind; medians are reported.", DefaultValueFactory = _ => 3 };
        var command = new Command("cache-on-off", "Compare generation with and without kept keys and values, and how a step grows with length.")
        {
            output, models, repeat,
        };
        command.SetAction((parsed, cancel) => RunAsync(parsed.GetValue(output), parsed.GetRequiredValue(models), parsed.GetValue(repeat), cancel));
        return command;
    }

    private static async Task RunAsync(DirectoryInfo? folder, DirectoryInfo models, int repeat, CancellationToken cancel)
    {
        using var result = ResultFile.Create(
            folder, "cache-on-off", "shape", "prompt", "new", "on_s", "off_s", "ratio", "on_ms_first", "on_ms_last", "off_ms_first", "off_ms_last");
        foreach ((string shape, int promptLength, int newTokens) in Cases)
        {
            await using var model = BenchModel.Load(shape, models);
            int[] prompt = model.RandomPrompt(promptLength, seed: 1);
            await OnAsync(model.Engine, prompt, 16, cancel); // warm-up: kernels are compiled
            var on = new List<Timing>();
            var off = new List<Timing>();
            for (int i = 0; i < repeat; i++)
            {
                on.Add(await OnAsync(model.Engine, prompt, newTokens, cancel));
                off.Add(await OffAsync(model.Engine, prompt, newTokens, cancel));
                if (!on[^1].Tokens.SequenceEqual(off[^1].Tokens))
                    throw new InvalidOperationException($"{shape}: the tokens differ with the cache on and off.");
            }

            double onSeconds = Median(on.Select(run => run.Seconds)), offSeconds = Median(off.Select(run => run.Seconds));
            result.Add(
                shape, promptLength, newTokens, onSeconds, offSeconds, offSeconds / onSeconds,
                StepMilliseconds(on, first: true), StepMilliseconds(on, first: false), StepMilliseconds(off, first: true), StepMilliseconds(off, first: false));
        }
    }

    private static async Task<Timing> OnAsync(Engine engine, int[] prompt, int newTokens, CancellationToken cancel)
    {
        var tokens = new List<int>();
        var steps = new List<double>();
        var clock = Stopwatch.StartNew();
        double last = 0;
        await foreach (GeneratedToken token in engine.Submit(Request(prompt, newTokens), cancel).ReadAllAsync(cancel))
        {
            tokens.Add(token.Id);
            steps.Add(clock.Elapsed.TotalSeconds - last);
            last = clock.Elapsed.TotalSeconds;
        }

        return new Timing(tokens, clock.Elapsed.TotalSeconds, steps[1..]);
    }

    private static async Task<Timing> OffAsync(Engine engine, int[] prompt, int newTokens, CancellationToken cancel)
    {
        var sequence = new List<int>(prompt);
        var steps = new List<double>();
        var clock = Stopwatch.StartNew();
        for (int i = 0; i < newTokens; i++)
        {
            double start = clock.Elapsed.TotalSeconds;
            GenerationResult step = await engine.Submit(Request([.. sequence], 1), cancel).Completion;
            sequence.Add(step.Choices[0].TokenIds[0]);
            steps.Add(clock.Elapsed.TotalSeconds - start);
        }

        return new Timing(sequence[prompt.Length..], clock.Elapsed.TotalSeconds, steps[1..]);
    }

    // Nothing is found or left in the cache: "on" keeps its own keys and values while it runs, and that is all.
    private static GenerationRequest Request(int[] prompt, int newTokens) => new()
    {
        Prompt = prompt,
        MaxNewTokens = newTokens,
        IgnoreEndOfText = true,
        UseCache = false,
        Sampling = new SamplingOptions { Temperature = 0 },
    };

    /// <summary>The median step among the first, or the last, tenth of all runs.</summary>
    private static double StepMilliseconds(List<Timing> runs, bool first) => 1000 * Median(
        runs.SelectMany(run => first ? run.Steps.Take(run.Steps.Count / 10) : run.Steps.TakeLast(run.Steps.Count / 10)));

    private static double Median(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        return sorted[sorted.Length / 2];
    }

    private sealed record Timing(List<int> Tokens, double Seconds, List<double> Steps);
}
