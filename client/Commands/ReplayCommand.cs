using System.CommandLine;
using System.Text.Json;
using KvTiers.Cli.Outcomes;
using KvTiers.Cli.Replay;
using KvTiers.Cli.Terminals;
using Spectre.Console;
using static System.FormattableString;

namespace KvTiers.Cli.Commands;

/// <summary><c>replay</c>: how often a cache of some size, or a stack of tiers, would have hit on recorded traffic.</summary>
internal static class ReplayCommand
{
    private static readonly JsonSerializerOptions Json = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    public static Command Create(Terminal terminal)
    {
        Argument<FileInfo> path = new("path") { Description = "Trace: JSON lines with hash_ids, timestamp, input_length and output_length." };
        Option<IReadOnlyList<int?>> capacity = Capacities(
            "--capacity", int.MaxValue, $"Caches of one tier: sizes in blocks of the trace, commas between them; '{CapacityList.Unbounded}' holds everything.");
        Option<IReadOnlyList<int?>> tiers = Capacities(
            "--tiers",
            TraceReplay.MostTiers,
            $"One cache of exclusive tiers: the size of each, the hot one first, at most {TraceReplay.MostTiers}. Of a request longer than the hot tier only what fits there is held.");
        Option<bool> json = new("--json") { Description = "Write the counts as one line of JSON." };

        Command command = new("replay", "Replay recorded traffic through the cache's radix tree, eviction order and tiers, and count hits.")
        {
            path, capacity, tiers, json,
        };
        command.Validators.Add(result =>
        {
            if (result.GetResult(capacity) is null && result.GetResult(tiers) is null)
                result.AddError("replay needs --capacity, --tiers or both.");
        });
        command.SetAction(async (parsed, cancellationToken) =>
        {
            FileInfo file = parsed.GetRequiredValue(path);
            Trace trace = Trace.Read(file.FullName);
            ReplayResult result = await CountAsync(
                terminal, trace, parsed.GetValue(capacity) ?? [], parsed.GetValue(tiers) ?? [], cancellationToken).ConfigureAwait(false);
            if (parsed.GetValue(json))
                terminal.Output.WriteLine(JsonSerializer.Serialize(result, Json));
            else
                Write(terminal, file.Name, trace, result);
            return ExitCodes.Ok;
        });
        return command;
    }

    // The bar is on standard error, so that it also shows while the counts go to a file.
    private static async Task<ReplayResult> CountAsync(
        Terminal terminal, Trace trace, IReadOnlyList<int?> capacities, IReadOnlyList<int?> tiers, CancellationToken cancellationToken)
    {
        async Task<ReplayResult> CountAllAsync(Action<string> onReplay, Action onRequest)
        {
            Task<IReadOnlyList<CapacityHits>> ReplayAsync(string name, IReadOnlyList<int?> stacked)
            {
                onReplay(name);
                return TraceReplay.CountHitsAsync(trace, stacked, onRequest, cancellationToken);
            }

            List<CapacityHits> hits = [];
            foreach (int? capacity in capacities)
                hits.AddRange(await ReplayAsync("capacity " + Name(capacity), [capacity]).ConfigureAwait(false));
            return new ReplayResult(
                trace.BlockCount,
                hits,
                tiers.Count == 0 ? [] : await ReplayAsync("tiers " + string.Join(" + ", tiers.Select(Name)), tiers).ConfigureAwait(false));
        }

        if (!terminal.ErrorStyled)
            return await CountAllAsync(_ => { }, () => { }).ConfigureAwait(false);
        return await terminal.ErrorConsole.Progress().AutoClear(true).StartAsync(async progress =>
        {
            int replays = capacities.Count + (tiers.Count == 0 ? 0 : 1);
            ProgressTask task = progress.AddTask("replay", maxValue: (double)trace.Requests.Count * replays);
            return await Task.Run(
                () => CountAllAsync(name => task.Description = name, () => task.Increment(1)), cancellationToken).ConfigureAwait(false);
        }).ConfigureAwait(false);
    }

    private static void Write(Terminal terminal, string name, Trace trace, ReplayResult result)
    {
        terminal.Output.WriteLine(Invariant(
            $"{name}: {trace.Requests.Count:N0} requests, {trace.BlockCount:N0} blocks, {trace.DistinctBlockCount:N0} different ones"));
        if (result.Capacities.Count > 0)
        {
            Table table = Tables.Create(">capacity", ">hits", ">hit rate");
            foreach (CapacityHits row in result.Capacities)
                table.AddRow(Name(row.Capacity), Count(row.Hits), Rate(row.Hits, trace));
            terminal.Output.WriteLine();
            terminal.Console.Write(table);
        }

        if (result.Tiers.Count > 0)
        {
            Table table = Tables.Create("tier", ">capacity", ">hits", ">hit rate");
            foreach ((int i, CapacityHits tier) in result.Tiers.Index())
                table.AddRow(i == 0 ? "1 (hot)" : Invariant($"{i + 1}"), Name(tier.Capacity), Count(tier.Hits), Rate(tier.Hits, trace));
            bool bounded = result.Tiers.All(tier => tier.Capacity is not null);
            string capacity = bounded ? Count(result.Tiers.Sum(tier => (long)(tier.Capacity ?? 0))) : CapacityList.Unbounded;
            int hits = result.Tiers.Sum(tier => tier.Hits);
            table.AddRow("all", capacity, Count(hits), Rate(hits, trace));
            terminal.Output.WriteLine();
            terminal.Console.Write(table);
        }
    }

    private static string Name(int? capacity) => capacity is { } blocks ? Count(blocks) : CapacityList.Unbounded;

    private static string Count(long blocks) => Invariant($"{blocks:N0}");

    private static string Rate(int hits, Trace trace) => Invariant($"{100.0 * hits / trace.BlockCount:0.00} %");

    private static Option<IReadOnlyList<int?>> Capacities(string name, int most, string description) => new(name)
    {
        Description = description,
        HelpName = "blocks",
        Arity = ArgumentArity.ExactlyOne,
        CustomParser = result =>
        {
            string text = result.Tokens[0].Value;
            IReadOnlyList<int?>? capacities = CapacityList.TryParse(text);
            if (capacities is null)
                result.AddError($"{name} '{text}' must be numbers of blocks, at least 1, or '{CapacityList.Unbounded}', with commas between them.");
            else if (capacities.Count > most)
                result.AddError($"{name} '{text}' has {capacities.Count} tiers; there can be at most {most}.");
            return capacities;
        },
    };
}
