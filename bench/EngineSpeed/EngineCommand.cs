using System.CommandLine;
using System.Diagnostics;
using KvTiers.Bench.Limits;
using KvTiers.Bench.Reporting;
using KvTiers.Blocks;
using KvTiers.Inference.Kernels;
using KvTiers.Inference.Model;
using KvTiers.MakeModel;

namespace KvTiers.Bench.EngineSpeed;

/// <summary>
/// <c>engine</c>: decode as a fraction of the memory bandwidth, prefill as a fraction of the multiply-add peak, per weight format. The limits are
/// measured again in every round, between the same lines; medians over the rounds are reported.
/// </summary>
internal static class EngineCommand
{
    private const int DeepTokens = 2048;
    private const int ShortTokens = 16;
    private const int BatchSize = 8;
    private static readonly WeightFormat[] Formats = [WeightFormat.F32, WeightFormat.BF16, WeightFormat.Int8];

    public static Command Create()
    {
        var output = ResultFile.Option();
        var models = new Option<DirectoryInfo>("--models")
        {
            Description = "Folder for the random-weight models, made when missing.",
            DefaultValueFactory = _ => new DirectoryInfo(Path.Combine(Path.GetTempPath(), "kvtiers-bench-models")),
        };
        var shape = new Option<string>("--shape") { Description = "Which model's dimensions to use.", DefaultValueFactory = _ => "smollm2-135m" };
        shape.AcceptOnlyFromAmong([.. ModelShape.All.Select(known => known.Name)]);
        var threads = new Option<int>("--threads") { Description = "Threads that compute.", DefaultValueFactory = _ => Environment.ProcessorCount };
        var path = new Option<KernelPath>("--path") { Description = "Instruction set.", DefaultValueFactory = _ => KernelPaths.Widest };
        var kv = new Option<KvFormat>("--kv") { Description = "Format of keys and values.", DefaultValueFactory = _ => KvFormat.BF16 };
        var rounds = new Option<int>("--rounds") { Description = "Rounds; medians are reported.", DefaultValueFactory = _ => 5 };
        var processor = new Option<bool>("--processor-time")
        {
            Description = "Count processor time, not time that passed: for one thread on a machine whose processors are busy.",
        };
        var command = new Command("engine", "Measure decode and prefill beside the machine's memory bandwidth and multiply-add peak.")
        {
            output, models, shape, threads, path, kv, rounds, processor,
        };
        command.SetAction(parsed =>
        {
            string folder = Path.Combine(parsed.GetRequiredValue(models).FullName, parsed.GetRequiredValue(shape));
            if (!File.Exists(Path.Combine(folder, "config.json")))
                RandomModel.Write(ModelShape.Find(parsed.GetRequiredValue(shape)), folder);
            var options = new ModelOptions { Threads = parsed.GetValue(threads), KernelPath = parsed.GetValue(path) };
            Run(parsed.GetValue(output), folder, options, parsed.GetValue(kv), parsed.GetValue(rounds), parsed.GetValue(processor));
        });
        return command;
    }

    private static void Run(DirectoryInfo? output, string folder, ModelOptions options, KvFormat kv, int rounds, bool processorTime)
    {
        SpeedModel[] models = [.. Formats.Select(format => new SpeedModel(folder, options with { WeightFormat = format }, kv, BatchSize, DeepTokens + 1))];
        var read = new List<double>();
        var peak = new List<double>();
        Line[] lines = [.. models.Zip(Formats).SelectMany(pair => Lines(pair.First, pair.Second))];
        foreach (Line line in lines)
            line.Work();
        for (int round = 0; round < rounds; round++)
        {
            read.Add(MachineLimits.MemoryReadBytesPerSecond(options.Threads, seconds: 1));
            peak.Add(MachineLimits.FusedMultiplyAddsPerSecond(options.Threads, seconds: 1));
            foreach (Line line in lines)
                line.Measure(processorTime);
        }

        double bandwidth = Median(read), flops = Median(peak);
        using var result = ResultFile.Create(output, "engine", "what", "weights", "path", "kv", "threads", "tokens_per_s", "rate", "unit", "of_limit");
        result.Add("memory read", "", "", "", options.Threads, "", bandwidth / 1e9, "GB/s", 1.0);
        result.Add("fused multiply-add f32", "", "", "", options.Threads, "", flops / 1e9, "GFLOP/s", 1.0);
        foreach (Line line in lines)
        {
            double seconds = Median(line.Seconds), rate = line.Amount / seconds, limit = line.IsMemory ? bandwidth : flops;
            result.Add(
                line.Name, line.Format.ToString(), options.KernelPath.ToString()!, kv.ToString(), options.Threads,
                line.Tokens / seconds, rate / 1e9, line.IsMemory ? "GB/s" : "GFLOP/s", rate / limit);
        }

        foreach (SpeedModel model in models)
            model.Dispose();
    }

    private static IEnumerable<Line> Lines(SpeedModel model, WeightFormat format)
    {
        ModelConfig config = model.Config;
        double weights = MatrixBytes(config, format);
        yield return new Line("decode, short", format, 1, weights + ShortTokens * model.KvBytesPerToken, true, 32, () => model.Decode(1, ShortTokens));
        yield return new Line("decode at 2,048", format, 1, weights + DeepTokens * model.KvBytesPerToken, true, 32, () => model.Decode(1, DeepTokens - 1));
        yield return new Line(
            "decode of 8, short", format, BatchSize, weights + BatchSize * ShortTokens * model.KvBytesPerToken, true, 16, () => model.Decode(BatchSize, ShortTokens));
        yield return new Line("prefill 512", format, 512, Operations(config, 512), false, 1, () => model.Prefill(512));
        yield return new Line("prefill 2,048", format, DeepTokens, Operations(config, DeepTokens), false, 1, () => model.Prefill(DeepTokens));
    }

    // Weights that a step reads: every matrix once; of the embedding only where it is the output matrix too.
    private static double MatrixBytes(ModelConfig config, WeightFormat format) =>
        (Parameters(config) + (double)config.Vocabulary * config.Hidden) * format switch
        {
            WeightFormat.F32 => 4,
            WeightFormat.BF16 => 2,
            _ => 1 + 2.0 / 64, // A scale of 16 bits for each 64.
        };

    private static double Parameters(ModelConfig config)
    {
        double heads = (config.Heads + 2.0 * config.KvHeads) * config.HeadDim + (double)config.Heads * config.HeadDim;
        int feedForward = config.Architecture == ModelArchitecture.Llama ? 3 : 2;
        return config.Layers * (config.Hidden * heads + (double)feedForward * config.Hidden * config.Intermediate);
    }

    // Two per weight and token, and four per element of a head, query head, and pair of positions; one row of logits.
    private static double Operations(ModelConfig config, int tokens) =>
        2.0 * Parameters(config) * tokens
        + 4.0 * config.Layers * config.Heads * config.HeadDim * tokens * (tokens + 1.0) / 2
        + 2.0 * config.Vocabulary * config.Hidden;

    private static double Median(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        return sorted[sorted.Length / 2];
    }

    /// <summary>One line of the result, measured once a round.</summary>
    private sealed record Line(string Name, WeightFormat Format, int Tokens, double Amount, bool IsMemory, int Repeat, Action Once)
    {
        public List<double> Seconds { get; } = [];

        public void Work()
        {
            for (int i = 0; i < Repeat; i++)
                Once();
        }

        public void Measure(bool processorTime)
        {
            Once();
            TimeSpan before = Environment.CpuUsage.TotalTime;
            var clock = Stopwatch.StartNew();
            Work();
            TimeSpan elapsed = processorTime ? Environment.CpuUsage.TotalTime - before : clock.Elapsed;
            Seconds.Add(elapsed.TotalSeconds / Repeat);
        }
    }
}
