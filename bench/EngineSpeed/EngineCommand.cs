using System.CommandLine;
using KvTiers.Bench.Limits;
using KvTiers.Bench.Reporting;
using KvTiers.Blocks;
using KvTiers.Inference.Kernels;
using KvTiers.Inference.Model;
using KvTiers.MakeModel;

namespace KvTiers.Bench.EngineSpeed;

/// <summary>
/// <c>engine</c>: decode as a fraction of the memory bandwidth, prefill as a fraction of the multiply-add peak, per weight format.
/// </summary>
internal static class EngineCommand
{
    private const int DeepTokens = 2048;
    private const int ShortTokens = 16;
    private const int TurnsPerRound = 10;

    // Until the runtime has compiled in full what it first compiled in haste, which takes a processor meanwhile.
    private const int WarmUpRounds = 2;

    public static Command Create()
    {
        var output = ResultFile.Option();
        var models = ModelsOption();
        var shape = new Option<string>("--shape") { Description = "Which model's dimensions to use.", DefaultValueFactory = _ => "smollm2-135m" };
        shape.AcceptOnlyFromAmong([.. ModelShape.All.Select(known => known.Name)]);
        var threads = new Option<int>("--threads") { Description = "Threads that compute.", DefaultValueFactory = _ => Environment.ProcessorCount };
        var path = new Option<KernelPath>("--path") { Description = "Instruction set.", DefaultValueFactory = _ => KernelPaths.Widest };
        var kv = new Option<KvFormat>("--kv") { Description = "Format of keys and values.", DefaultValueFactory = _ => KvFormat.BF16 };
        var weights = new Option<WeightFormat[]>("--weights")
        {
            Description = "Formats of the weights.",
            AllowMultipleArgumentsPerToken = true,
            DefaultValueFactory = _ => [WeightFormat.F32, WeightFormat.BF16, WeightFormat.Int8, WeightFormat.Int4],
        };
        var only = new Option<string>("--only") { Description = "Lines whose name has this in it.", DefaultValueFactory = _ => "" };
        var rounds = new Option<int>("--rounds") { Description = "Rounds of 10 turns; medians are reported.", DefaultValueFactory = _ => 3 };
        var batch = new Option<int>("--batch") { Description = "Conversations that decode together.", DefaultValueFactory = _ => 8 };
        var processor = new Option<bool>("--processor-time")
        {
            Description = "Count processor time, not time that passed: for one thread on a machine whose processors are busy.",
        };
        var command = new Command("engine", "Measure decode and prefill beside the machine's memory bandwidth and multiply-add peak.")
        {
            output, models, shape, threads, path, kv, weights, only, rounds, batch, processor,
        };
        command.SetAction(parsed =>
        {
            string folder = Path.Combine(parsed.GetRequiredValue(models).FullName, parsed.GetRequiredValue(shape));
            if (!File.Exists(Path.Combine(folder, "config.json")))
                RandomModel.Write(ModelShape.Find(parsed.GetRequiredValue(shape)), folder);
            var options = new ModelOptions { Threads = parsed.GetValue(threads), KernelPath = parsed.GetValue(path) };
            Plan plan = new(
                options, parsed.GetRequiredValue(weights), parsed.GetRequiredValue(only), parsed.GetValue(rounds), parsed.GetValue(batch), parsed.GetValue(processor));
            Run(parsed.GetValue(output), folder, plan, parsed.GetValue(kv));
        });
        return command;
    }

    /// <summary>Where models of random weights are kept.</summary>
    public static Option<DirectoryInfo> ModelsOption() => new("--models")
    {
        Description = "Folder for the random-weight models, made when missing.",
        DefaultValueFactory = _ => new DirectoryInfo(Path.Combine(Path.GetTempPath(), "kvtiers-bench-models")),
    };

    private static void Run(DirectoryInfo? output, string folder, Plan plan, KvFormat kv)
    {
        ModelOptions options = plan.Options;
        using var read = new ReadProbe(options.Threads);
        using var result = ResultFile.Create(
            output, "engine", "what", "weights", "path", "kv", "threads", "tokens_per_s", "rate", "limit", "unit", "of_limit");
        foreach (WeightFormat format in plan.Formats)
        {
            using SpeedModel model = new(folder, options with { WeightFormat = format }, kv, plan.Batch, DeepTokens + 1);
            Line[] lines = [.. Lines(model, format, plan.Batch).Where(line => line.Name.Contains(plan.Only, StringComparison.Ordinal))];
            for (int round = 0; round < plan.Rounds + WarmUpRounds; round++)
            {
                foreach (Line line in lines)
                {
                    line.Measure(TurnsPerRound, line.IsMemory ? read.Measure : PeakOf, plan.ProcessorTime);
                    if (round < WarmUpRounds)
                        line.Clear();
                }
            }

            foreach (Line line in lines)
            {
                result.Add(
                    line.Name, line.Format.ToString(), options.KernelPath.ToString()!, kv.ToString(), options.Threads,
                    line.Tokens / line.Seconds, line.Amount / line.Seconds / 1e9, line.Limit / 1e9, line.IsMemory ? "GB/s" : "GFLOP/s", line.OfLimit);
            }
        }

        double PeakOf(TimeSpan duration) => MachineLimits.FusedMultiplyAddsPerSecond(options.Threads, duration);
    }

    private static IEnumerable<Line> Lines(SpeedModel model, WeightFormat format, int batch)
    {
        ModelConfig config = model.Config;
        double weights = MatrixBytes(config, format);
        yield return new Line("decode, short", format, 1, weights + ShortTokens * model.KvBytesPerToken, true, () => model.Decode(1, ShortTokens));
        yield return new Line("decode at 2,048", format, 1, weights + DeepTokens * model.KvBytesPerToken, true, () => model.Decode(1, DeepTokens - 1));
        yield return new Line(
            $"decode of {batch}, short", format, batch, weights + batch * ShortTokens * model.KvBytesPerToken, true, () => model.Decode(batch, ShortTokens));
        yield return new Line("prefill 512", format, 512, Operations(config, 512), false, () => model.Prefill(512));
        yield return new Line("prefill 2,048", format, DeepTokens, Operations(config, DeepTokens), false, () => model.Prefill(DeepTokens));
    }

    // Weights that a step reads: every matrix once; of the embedding only where it is the output matrix too.
    private static double MatrixBytes(ModelConfig config, WeightFormat format) =>
        (Parameters(config) + (double)config.Vocabulary * config.Hidden) * format switch
        {
            WeightFormat.F32 => 4,
            WeightFormat.BF16 => 2,
            WeightFormat.Int8 => 1 + 2.0 / 64, // A scale of 16 bits for each 64.
            _ => 0.5 + 2.0 / 32,
        };

    private static double Parameters(ModelConfig config) => config.Layers * (QkvParameters(config) + ParametersAfterAttention(config));

    private static double QkvParameters(ModelConfig config) => (double)config.Hidden * (config.Heads + 2 * config.KvHeads) * config.HeadDim;

    private static double ParametersAfterAttention(ModelConfig config) =>
        (double)config.Heads * config.HeadDim * config.Hidden
        + (config.IsGated ? 3.0 : 2.0) * config.Hidden * config.Intermediate;

    // Two per weight and token, but of the last layer, past its attention, for one token only; four per element of a head, query head, and pair of
    // positions; one row of logits.
    private static double Operations(ModelConfig config, int tokens) =>
        2.0 * (Parameters(config) * tokens - ParametersAfterAttention(config) * (tokens - 1.0))
        + 4.0 * config.Layers * config.Heads * config.HeadDim * tokens * (tokens + 1.0) / 2
        + 2.0 * config.Vocabulary * config.Hidden;

    private sealed record Plan(ModelOptions Options, IReadOnlyList<WeightFormat> Formats, string Only, int Rounds, int Batch, bool ProcessorTime);
}
