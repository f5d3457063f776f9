using System.CommandLine;
using System.CommandLine.Parsing;
using System.Text.Json;
using KvTiers.Cli.Replay;
using KvTiers.Cli.Terminals;
using Spectre.Console;
using static System.FormattableString;

namespace KvTiers.Cli.Commands;

/// <summary><c>replay</c>: how often a cache of some size would have hit on recorded traffic.</summary>
internal static class ReplayCommand
{
    private static readonly JsonSerializerOptions Json = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    public static Command Create(Terminal terminal)
    {
        Argument<FileInfo> path = new("path") { Description = "Trace: JSON lines with hash_ids, timestamp, input_length and output_length." };
        Option<IReadOnlyList<int?>> capacity = new("--capacity")
        {
            Description = $"Cache sizes in blocks of the trace, commas between them; '{CapacityList.Unbounded}' holds everything.",
            HelpName = "blocks",
            Required = true,
            CustomParser = ParseCapacities,
        };
        Option<bool> json = new("--json") { Description = "Write the counts as one line of JSON." };

        Command command = new("replay", "Replay recorded traffic through the cache's radix tree and eviction order, and count hits.")
        {
            path, capacity, json,
        };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            FileInfo file = parsed.GetRequiredValue(path);
            Trace trace = Trace.Read(file.FullName);
            IReadOnlyList<CapacityHits> hits =
                await CountAsync(terminal, trace, parsed.GetRequiredValue(capacity), cancellationToken).ConfigureAwait(false);
            if (parsed.GetValue(json))
                terminal.Output.WriteLine(JsonSerializer.Serialize(new ReplayResult(trace.BlockCount, hits), Json));
            else
                Write(terminal, file.Name, trace, hits);
            return ExitCodes.Ok;
        });
        return command;
    }

    // The bar is on standard error, so that it also shows while the counts go to a file.
    private static async Task<IReadOnlyList<CapacityHits>> CountAsync(
        Terminal terminal, Trace trace, IReadOnlyList<int?> capacities, CancellationToken cancellationToken)
    {
        List<CapacityHits> CountAll(Action<int?> onCapacity, Action onRequest)
        {
            List<CapacityHits> hits = [];
            foreach (int? capacity in capacities)
            {
                onCapacity(capacity);
                hits.Add(new CapacityHits(capacity, TraceReplay.CountHits(trace, capacity, onRequest, cancellationToken)));
            }

            return hits;
        }

        if (!terminal.ErrorStyled)
            return CountAll(_ => { }, () => { });
        return await terminal.ErrorConsole.Progress().AutoClear(true).StartAsync(async progress =>
        {
            ProgressTask task = progress.AddTask("replay", maxValue: (double)trace.Requests.Count * capacities.Count);
            return await Task.Run(
                () => CountAll(capacity => task.Description = "capacity " + Name(capacity), () => task.Increment(1)), cancellationToken)
                .ConfigureAwait(false);
        }).ConfigureAwait(false);
    }

    private static void Write(Terminal terminal, string name, Trace trace, IReadOnlyList<CapacityHits> hits)
    {
        terminal.Output.WriteLine(Invariant(
            $"{name}: {trace.Requests.Count:N0} requests, {trace.BlockCount:N0} blocks, {trace.DistinctBlockCount:N0} different ones"));
        terminal.Output.WriteLine();
        Table table = Tables.Create(">capacity", ">hits", ">hit rate");
        foreach (CapacityHits row in hits)
            table.AddRow(Name(row.Capacity), Invariant($"{row.Hits:N0}"), Invariant($"{100.0 * row.Hits / trace.BlockCount:0.00} %"));
        terminal.Console.Write(table);
    }

    private static string Name(int? capacity) => capacity is { } blocks ? Invariant($"{blocks:N0}") : CapacityList.Unbounded;

    private static IReadOnlyList<int?>? ParseCapacities(ArgumentResult result)
    {
        string text = result.Tokens[0].Value;
        if (CapacityList.TryParse(text) is { } capacities)
            return capacities;
        result.AddError($"--capacity '{text}' must be numbers of blocks, at least 1, or '{CapacityList.Unbounded}', with commas between them.");
        return null;
    }
}
