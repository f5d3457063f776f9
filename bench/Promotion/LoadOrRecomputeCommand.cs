using System.CommandLine;
using KvTiers.Bench.Reporting;
using KvTiers.Bench.Serving;
using KvTiers.Blocks;
using KvTiers.Inference.Model;
using KvTiers.Inference.Scheduling;
using KvTiers.Inference.Tokens;
using KvTiers.Redis;
using KvTiers.Tiers;
using KvTiers.Tiers.Disk;

namespace KvTiers.Bench.Promotion;

/// <summary>
/// <c>load-or-recompute</c>: the time to the first token when a prompt's blocks are in just one tier, with the plan by measured rates,
/// beside always loading and never loading. In turns, so that what disturbs one disturbs all. Beside it, how far what was predicted of an answer's loads,
/// made by either policy, was from what they took, as a share of that.
/// </summary>
internal static class LoadOrRecomputeCommand
{
    // One token more than whole blocks: the last token is always computed.
    private static readonly int[] PromptTokens = [65, 257, 1025];

    private static readonly PromotionPolicy[] Policies = [PromotionPolicy.Always, PromotionPolicy.Never, PromotionPolicy.ByRate];

    public static Command Create()
    {
        var output = ResultFile.Option();
        var models = new Option<DirectoryInfo>("--models")
        {
            Description = "Folder for the random-weight model, made when missing.",
            DefaultValueFactory = _ => new DirectoryInfo(Path.Combine(Path.GetTempPath(), "kvtiers-bench-models")),
        };
        var repeat = new Option<int>("--repeat") { Description = "Runs of each kind; medians are reported.", DefaultValueFactory = _ => 7 };
        var threads = new Option<int?>("--threads") { Description = "Threads of the model. Default all." };
        var command = new Command("load-or-recompute", "Measure the time to the first token of the chosen plan beside always loading and always recomputing.")
        {
            output, models, repeat, threads,
        };
        command.SetAction((parsed, cancel) => RunAsync(
            parsed.GetValue(output), parsed.GetRequiredValue(models), parsed.GetValue(repeat), parsed.GetValue(threads), cancel));
        return command;
    }

    private static async Task RunAsync(DirectoryInfo? folder, DirectoryInfo models, int repeat, int? threads, CancellationToken cancel)
    {
        string path = BenchModel.Make("smollm2-135m", models);
        using LanguageModel model = LanguageModel.Load(path, new ModelOptions { Threads = threads ?? new ModelOptions().Threads });
        Tokenizer tokenizer = Tokenizer.Load(path);
        using RedisProcess? redis = RedisProcess.IsAvailable ? new RedisProcess() : null;
        using DelayProxy? far = redis is null ? null : new DelayProxy(redis.Port, TimeSpan.FromMilliseconds(200));
        DirectoryInfo disk = Directory.CreateTempSubdirectory("kvtiers-bench-");
        using var result = ResultFile.Create(
            folder, "load-or-recompute", "tier", "prompt_tokens", "always_ms", "never_ms", "chosen_ms", "loaded_tokens", "chosen_over_better", "estimates", "load_error_median", "load_error_p90");
        try
        {
            foreach (string tier in redis is null ? ["ram", "disk"] : new[] { "ram", "disk", "redis", "redis+200ms" })
            {
                var engines = new List<TieredEngine>();
                foreach (PromotionPolicy policy in Policies)
                {
                    TierOptions options = Tier(tier, policy, disk, redis, far);
                    engines.Add(await TieredEngine.OpenAsync(model, tokenizer, model.Config.CreateLayout(KvFormat.BF16), options, policy, hotBlocks: 160));
                }

                foreach (int tokens in PromptTokens)
                    await CompareAsync(tier, tokens, engines, repeat, model.Config.Vocabulary, result, cancel);

                foreach (TieredEngine engine in engines)
                    await engine.DisposeAsync();
            }
        }
        finally
        {
            disk.Delete(recursive: true);
        }
    }

    private static async Task CompareAsync(
        string tier, int tokens, List<TieredEngine> engines, int repeat, int vocabulary, ResultFile result, CancellationToken cancel)
    {
        var random = new Random(tokens);
        int[] prompt = [.. Enumerable.Range(0, tokens).Select(_ => random.Next(1000, vocabulary))];
        var milliseconds = engines.ToDictionary(engine => engine.Policy, _ => new List<double>());
        var loaded = new List<int>();
        var errors = new List<double>();
        var answers = new HashSet<int>();

        // The first round puts the blocks into the tiers, the second one is for the estimates to settle.
        for (int round = -2; round < repeat; round++)
        {
            foreach (TieredEngine engine in round % 2 == 0 ? engines : engines.Reverse<TieredEngine>())
            {
                (double seconds, double predicted) = engine.Loads;
                GenerationResult answer = await engine.AnswerAsync(prompt, cancel);
                answers.Add(answer.Choices[0].TokenIds[0]);
                if (round >= 0)
                {
                    Check(tier, tokens, engine.Policy, answer);
                    milliseconds[engine.Policy].Add(answer.TimeToFirstToken.TotalMilliseconds);
                    if (engine.Policy == PromotionPolicy.ByRate)
                        loaded.Add(answer.PromotedTokenCounts.Values.Sum());

                    (seconds, predicted) = (engine.Loads.Seconds - seconds, engine.Loads.Predicted - predicted);
                    if (seconds > 0)
                        errors.Add(Math.Abs(predicted - seconds) / seconds);
                }

                await engine.CoolAsync(cancel);
            }
        }

        if (answers.Count != 1)
            throw new InvalidOperationException($"{tier}: the answers to one prompt differ.");

        double always = Median(milliseconds[PromotionPolicy.Always]), never = Median(milliseconds[PromotionPolicy.Never]);
        double chosen = Median(milliseconds[PromotionPolicy.ByRate]);
        result.Add(tier, tokens, always, never, chosen, (int)loaded.Average(), chosen / Math.Min(always, never), engines.Single(engine => engine.Policy == PromotionPolicy.ByRate).Estimates,
            Quantile(errors, 0.5), Quantile(errors, 0.9));
    }

    /// <summary>A figure counts only if it measures what it says.</summary>
    private static void Check(string tier, int tokens, PromotionPolicy policy, GenerationResult answer)
    {
        int loaded = answer.PromotedTokenCounts.Values.Sum();
        int? expected = policy switch
        {
            PromotionPolicy.Always => tokens - 1,
            PromotionPolicy.Never => 0,
            _ => null,
        };
        if (loaded != (expected ?? loaded) || loaded + answer.ComputedTokenCount != tokens)
            throw new InvalidOperationException($"{tier}, {policy}: {loaded} of {tokens} tokens were loaded and {answer.ComputedTokenCount} computed; {expected} were to be loaded.");
    }

    private static TierOptions Tier(string tier, PromotionPolicy policy, DirectoryInfo disk, RedisProcess? redis, DelayProxy? far)
    {
        const long CapacityBytes = 256 << 20;
        switch (tier)
        {
            case "ram":
                return TierOptions.Ram(CapacityBytes);
            case "disk":
                return TierOptions.Disk(new DiskStoreOptions { Folder = Path.Combine(disk.FullName, $"{policy}"), CapacityBytes = CapacityBytes });
            default:
                var options = new RedisStoreOptions
                {
                    Configuration = $"127.0.0.1:{(tier == "redis" ? redis!.Port : far!.Port)}",
                    CapacityBytes = CapacityBytes,
                    KeyPrefix = $"{tier}:{policy}:",
                    Deadline = TimeSpan.FromSeconds(10),
                    ReadBytesAtOnce = tier == "redis" ? 8 << 20 : 64 << 20, // a long way takes more to fill
                };
                return new TierOptions { Name = tier, Open = async (format, time) => await RedisStore.ConnectAsync(format.RecordBytes, options, time), Exclusive = false, Shared = true };
        }
    }

    private static double Median(List<double> values) => Quantile(values, 0.5);

    private static double Quantile(List<double> values, double share) => values.Order().ElementAt((int)(share * (values.Count - 1)));
}
