using System.CommandLine;
using KvTiers.Bench.Reporting;
using KvTiers.Cli.Outcomes;
using KvTiers.Cli.Replay;
using static System.FormattableString;

namespace KvTiers.Bench.HitRate;

/// <summary>
/// <c>hit-rate</c>: how often a cache of some capacity, and each of three stacked tiers, hits on recorded traffic. The limit is a cache that
/// holds everything: it misses only what nobody sent before.
/// </summary>
internal static class HitRateCommand
{
    private static readonly int[] Capacities = [300, 500, 1_000, 2_000, 3_000, 5_000, 10_000, 20_000, 30_000, 50_000, 100_000];

    private static readonly int[] Tiers = [1_000, 9_000, 40_000];

    public static Command Create()
    {
        var path = new Argument<FileInfo>("path") { Description = "Trace: JSON lines with hash_ids, timestamp, input_length and output_length." };
        var output = ResultFile.Option();
        var command = new Command("hit-rate", "Replay a trace at capacities from 300 blocks to unbounded, and through three tiers, and count hits.")
        {
            path, output,
        };
        command.SetAction((parsed, cancel) => RunAsync(parsed.GetRequiredValue(path), parsed.GetValue(output), cancel));
        return command;
    }

    private static async Task<int> RunAsync(FileInfo path, DirectoryInfo? folder, CancellationToken cancel)
    {
        Trace trace;
        try
        {
            trace = Trace.Read(path.FullName);
        }
        catch (CliException exception)
        {
            await Console.Error.WriteLineAsync("error: " + exception.Message);
            return ExitCodes.Error;
        }

        using var result = ResultFile.Create(folder, "hit-rate", "cache", "tier", "capacity_blocks", "hits", "blocks", "hit_rate", "of_unbounded");
        int limit = (await CountAsync(trace, [null], cancel))[0].Hits;
        void Add(string cache, int tier, CapacityHits row) => result.Add(
            cache, tier, (object?)row.Capacity ?? CapacityList.Unbounded, row.Hits, trace.BlockCount, Rate(row.Hits), (double)row.Hits / limit);
        double Rate(int hits) => (double)hits / trace.BlockCount;

        var curve = new List<(double X, double Y)>();
        foreach (int capacity in Capacities.Where(capacity => capacity < trace.DistinctBlockCount))
        {
            CapacityHits row = (await CountAsync(trace, [capacity], cancel))[0];
            Add("one tier", 1, row);
            curve.Add((capacity, 100 * Rate(row.Hits)));
        }

        Add("one tier", 1, new CapacityHits(null, limit));
        curve.Add((trace.DistinctBlockCount, 100 * Rate(limit)));

        var plot = new SvgPlot
        {
            Title = $"Hit rate over capacity, {path.Name}",
            XLabel = "capacity (blocks of the trace)",
            YLabel = "blocks found (%)",
            LogarithmicX = true,
        };
        plot.Add(new SvgSeries("one tier", curve));
        plot.Add(new SvgSeries(Invariant($"unbounded: {100 * Rate(limit):F1} %"), [(curve[0].X, curve[^1].Y), curve[^1]], Dashed: true));

        // A tier's point stands where its capacity and those above it end: by the inclusion law on the curve of one tier.
        double capacities = 0, hits = 0;
        foreach ((int i, CapacityHits row) in (await CountAsync(trace, [.. Tiers], cancel)).Index())
        {
            Add("three tiers", i + 1, row);
            capacities += Tiers[i];
            hits += 100 * Rate(row.Hits);
            plot.Add(new SvgSeries(Invariant($"tier {i + 1}, {Tiers[i]:N0}: {(i == 0 ? "" : "+")}{100 * Rate(row.Hits):F1} %"), [(capacities, hits)]));
        }

        if (folder is not null)
            plot.Save(Path.Combine(folder.FullName, "hit-rate.svg"));

        return ExitCodes.Ok;
    }

    private static Task<IReadOnlyList<CapacityHits>> CountAsync(Trace trace, IReadOnlyList<int?> capacities, CancellationToken cancel) =>
        TraceReplay.CountHitsAsync(trace, capacities, () => { }, cancel);
}
