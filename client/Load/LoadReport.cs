using System.Text.Json;
using KvTiers.Cli.Terminals;
using Spectre.Console;
using static System.FormattableString;

namespace KvTiers.Cli.Load;

/// <summary>A load's result for people, as a line of JSON, and turn by turn as CSV.</summary>
internal static class LoadReport
{
    private static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        DictionaryKeyPolicy = JsonNamingPolicy.SnakeCaseLower,
    };

    public static void Write(Terminal terminal, LoadResult result)
    {
        terminal.Output.WriteLine(Invariant(
            $"{result.Turns.Count:N0} turns in {result.Seconds:0.0} s, {result.TokensPerSecond:0.0} tokens/s, {100 * result.All.HitRate:0.0} % of prompt tokens cached"));
        Table times = Tables.Create("ms", ">p50", ">p90", ">p99", ">max");
        AddTimes(times, "time to first token", result.TtftMs);
        AddTimes(times, "time per token after it", result.TpotMs);
        AddTimes(times, "whole turn", result.EndToEndMs);
        terminal.Output.WriteLine();
        terminal.Console.Write(times);

        Table silos = Tables.Create("silo", ">turns", ">prompt tokens", ">hot", ">ram", ">disk", ">redis", ">computed", ">generated");
        foreach (LoadSilo silo in result.Silos.Count > 1 ? [.. result.Silos, result.All] : result.Silos)
        {
            string Share(string tier) => silo.PromptTokens == 0 ? "" : Invariant($"{100.0 * silo.Cached[tier] / silo.PromptTokens:0.0} %");
            string computed = silo.PromptTokens == 0 ? "" : Invariant($"{100 * (1 - silo.HitRate):0.0} %");
            silos.AddRow(
                Markup.Escape(silo.Silo), Count(silo.Turns), Count(silo.PromptTokens), Share("hot"), Share("ram"), Share("disk"), Share("redis"), computed, Count(silo.CompletionTokens));
        }

        terminal.Output.WriteLine();
        terminal.Console.Write(silos);
        terminal.Output.WriteLine();
        foreach ((string kind, int count) in result.Faults)
            terminal.Output.WriteLine(Invariant($"failed calls, {kind}: {count:N0}"));
        if (result.FoundStored > 0)
            terminal.Output.WriteLine(Invariant($"answers found stored after their acknowledgement was lost: {result.FoundStored:N0}"));
        if (result.Options.Verify)
            terminal.Output.WriteLine(Invariant($"answers compared with the cache off: {result.Verified:N0}"));
        foreach (string wrong in result.Wrong)
            terminal.WriteError(wrong);
        terminal.Output.WriteLine(result.Wrong.Count == 0 ? "no turn failed, none was lost, no answer was wrong" : Invariant($"wrong: {result.Wrong.Count:N0}"));
    }

    /// <summary>One line.</summary>
    public static string ToJson(LoadResult result) => JsonSerializer.Serialize(
        new
        {
            result.Options.Conversations,
            Turns = result.Turns.Count,
            result.Seconds,
            result.TokensPerSecond,
            result.All.HitRate,
            result.TtftMs,
            result.TpotMs,
            result.EndToEndMs,
            result.Silos,
            result.Faults,
            result.FailedTurns,
            result.FoundStored,
            result.Verified,
            Wrong = result.Wrong.Count,
        },
        Json);

    public static void SaveCsv(LoadResult result, string path)
    {
        using var file = new StreamWriter(path) { NewLine = "\n" };
        file.WriteLine("conversation,turn,edit,silo,sent_s,ttft_ms,tpot_ms,end_to_end_ms,prompt,hot,ram,disk,redis,computed,completion,found_stored");
        foreach (LoadTurn turn in result.Turns)
        {
            file.WriteLine(Invariant(
                $"{turn.Conversation},{turn.Turn},{(turn.IsEdit ? 1 : 0)},{turn.Silo},{turn.SentAt.TotalSeconds:0.000},{turn.Ttft?.TotalMilliseconds:0.00},{turn.Tpot?.TotalMilliseconds:0.00},{turn.Duration.TotalMilliseconds:0.00},{turn.Usage?.PromptTokens},{turn.Usage?.Cached.Hot},{turn.Usage?.Cached.Ram},{turn.Usage?.Cached.Disk},{turn.Usage?.Cached.Redis},{turn.Usage?.ComputedTokens},{turn.Usage?.CompletionTokens},{(turn.WasFoundStored ? 1 : 0)}"));
        }
    }

    private static void AddTimes(Table table, string name, Percentiles? times)
    {
        if (times is not null)
            table.AddRow(name, Ms(times.P50), Ms(times.P90), Ms(times.P99), Ms(times.Max));
    }

    private static string Ms(double milliseconds) => milliseconds < 100 ? Invariant($"{milliseconds:0.0}") : Invariant($"{milliseconds:N0}");

    private static string Count(long count) => Invariant($"{count:N0}");
}
