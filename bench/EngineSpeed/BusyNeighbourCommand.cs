using System.CommandLine;
using System.Diagnostics;
using KvTiers.Bench.Reporting;
using KvTiers.Blocks;
using KvTiers.Inference.Model;
using KvTiers.MakeModel;

namespace KvTiers.Bench.EngineSpeed;

/// <summary><c>busy-neighbour</c>: what decode keeps of its rate while another process keeps one processor busy, pair by pair.</summary>
internal static class BusyNeighbourCommand
{
    private const int Position = 16;
    private static readonly TimeSpan Turn = TimeSpan.FromSeconds(1.5);

    public static Command Create()
    {
        var output = ResultFile.Option();
        var models = EngineCommand.ModelsOption();
        var pairs = new Option<int>("--pairs") { Description = "Quiet and busy turns; medians are reported.", DefaultValueFactory = _ => 5 };
        var command = new Command("busy-neighbour", "Measure decode alone and beside a process that keeps one processor busy.") { output, models, pairs };
        command.SetAction(parsed => Run(parsed.GetValue(output), parsed.GetRequiredValue(models), parsed.GetValue(pairs)));
        return command;
    }

    /// <summary>The neighbour itself, not for the command line's user.</summary>
    public static Command CreateSpin()
    {
        var command = new Command(BusyNeighbour.Command, "Keep a processor busy until the input ends.") { Hidden = true };
        command.SetAction(_ => BusyNeighbour.Spin());
        return command;
    }

    private static void Run(DirectoryInfo? output, DirectoryInfo models, int pairs)
    {
        string folder = Path.Combine(models.FullName, "smollm2-135m");
        if (!File.Exists(Path.Combine(folder, "config.json")))
            RandomModel.Write(ModelShape.Find("smollm2-135m"), folder);
        using var result = ResultFile.Create(output, "busy-neighbour", "weights", "threads", "quiet_tokens_per_s", "busy_tokens_per_s", "kept", "least_kept");
        foreach (WeightFormat format in (WeightFormat[])[WeightFormat.F32, WeightFormat.BF16, WeightFormat.Int8])
        {
            ModelOptions options = new() { Threads = Environment.ProcessorCount, WeightFormat = format };
            using SpeedModel model = new(folder, options, KvFormat.BF16, 1, Position + 1);
            TokensPerSecond(model);
            double[] quiet = new double[pairs], busy = new double[pairs], kept = new double[pairs];
            for (int pair = 0; pair < pairs; pair++)
            {
                quiet[pair] = TokensPerSecond(model);
                using BusyNeighbour neighbour = new();
                busy[pair] = TokensPerSecond(model);
                kept[pair] = busy[pair] / quiet[pair];
            }

            result.Add(format.ToString(), options.Threads, Median(quiet), Median(busy), Median(kept), kept.Min());
        }
    }

    private static double TokensPerSecond(SpeedModel model)
    {
        int steps = 0;
        var clock = Stopwatch.StartNew();
        for (; clock.Elapsed < Turn; steps++)
            model.Decode(1, Position);
        return steps / clock.Elapsed.TotalSeconds;
    }

    private static double Median(double[] values) => values.Order().ElementAt(values.Length / 2);
}
