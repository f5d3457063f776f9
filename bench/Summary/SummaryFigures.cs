using KvTiers.Bench.Reporting;
using static System.FormattableString;

namespace KvTiers.Bench.Summary;

/// <summary>Which figures of each benchmark's rows the summary shows, and beside what.</summary>
internal static class SummaryFigures
{
    /// <summary>Results by file name, in the summary's order.</summary>
    public static IReadOnlyList<(string Result, Func<ResultTable, IEnumerable<SummaryLine>> Lines)> All { get; } =
    [
        ("engine", Engine),
        ("busy-neighbour", BusyNeighbour),
        ("constraint", Constraint),
        ("cache-on-off", CacheOnOff),
        ("warm-turn", WarmTurn),
        ("start", Start),
        ("serving", Serving),
        ("cache", Cache),
        ("tiers", Tiers),
        ("load-or-recompute", LoadOrRecompute),
        ("encodings", Encodings),
        ("gc-pauses", GcPauses),
        ("hit-rate", HitRate),
    ];

    private static IEnumerable<SummaryLine> Engine(ResultTable table) => table.Rows.Select(row => new SummaryLine(
        $"{row["what"]}, {row["weights"].ToLowerInvariant()}: {Number(row.Number("tokens_per_s"))} tokens/s",
        $"{Number(row.Number("rate"))} {row["unit"]}",
        $"{(row["unit"] == "GB/s" ? "memory read" : "f32 multiply-adds")} {Number(row.Number("limit"))} {row["unit"]}",
        Percent(row.Number("of_limit"))));

    private static IEnumerable<SummaryLine> BusyNeighbour(ResultTable table) => table.Rows.Select(row => new SummaryLine(
        $"decode with a busy neighbour, {row["weights"].ToLowerInvariant()}",
        $"{Number(row.Number("busy_tokens_per_s"))} tokens/s",
        $"quiet {Number(row.Number("quiet_tokens_per_s"))} tokens/s",
        Percent(row.Number("kept"))));

    private static IEnumerable<SummaryLine> Constraint(ResultTable table) => table.Rows.Select(row => new SummaryLine(
        $"a token of the demo model held to a form ({row["form"]}, {row["sampling"]})",
        $"{Number(row.Number("held_us"))} µs",
        $"free {Number(row.Number("free_us"))} µs",
        Percent(row.Number("held_us") / row.Number("free_us"))));

    private static IEnumerable<SummaryLine> CacheOnOff(ResultTable table) => table.Rows.Select(row => new SummaryLine(
        $"{row["new"]} tokens after {row["prompt"]}, {row["shape"]}",
        $"{Number(row.Number("on_s"))} s",
        $"nothing kept {Number(row.Number("off_s"))} s",
        Times(row.Number("ratio")) + " as fast"));

    private static IEnumerable<SummaryLine> WarmTurn(ResultTable table) => table.Rows.Select(row => new SummaryLine(
        $"TTFT of {row["new_tokens"]} tokens after {row["cached_tokens"]} cached, over HTTP",
        $"{Number(row.Number("ttft_ms"))} ms",
        $"the model alone {Number(row.Number("model_ms"))} ms",
        Times(row.Number("ratio"))));

    private static IEnumerable<SummaryLine> Start(ResultTable table) =>
        from weights in table.Rows.GroupBy(row => row["weights"])
        let first = weights.Single(row => row["start"] == "first").Number("ready_s")
        let second = weights.Single(row => row["start"] == "second").Number("ready_s")
        select new SummaryLine($"second start, {weights.Key}", $"{Number(second)} s", $"first start {Number(first)} s", Times(second / first));

    private static IEnumerable<SummaryLine> Serving(ResultTable table) =>
        from row in table.Rows
        where row["conversations"] is "1" or "16" or "64" && row["prefix"] != "off" && row["ttft_off_over_this"].Length > 0
        let ttft = row.Number("ttft_p50_ms")
        let off = ttft * row.Number("ttft_off_over_this")
        select new SummaryLine(
            $"TTFT, {row["conversations"]} at a time, prefix of {row["prefix_tokens"]} {Place(row["prefix"])}: {Number(row.Number("tokens_per_s"))} tokens/s",
            $"{Number(ttft)} ms",
            $"cache off {Number(off)} ms",
            Times(off / ttft) + " as fast");

    private static IEnumerable<SummaryLine> Cache(ResultTable table)
    {
        foreach (string operation in new[] { "insert 125 blocks, evicting as many", "evict" })
        {
            ResultRow[] rows = [.. table.Rows.Where(row => row["operation"] == operation)];
            yield return OverSize($"{operation}, a block among {Blocks(rows[^1])} blocks", rows[0], rows[^1], "among");
        }

        ResultRow[] paths = [.. table.Rows.Where(row => row["operation"].StartsWith("match: one path", StringComparison.Ordinal))];
        yield return OverSize($"match, a token of a path of {Blocks(paths[^1])} blocks", paths[0], paths[^1], "of");
    }

    private static IEnumerable<SummaryLine> Tiers(ResultTable table) =>
        from row in table.Rows
        where row["tier"] != "codec" && row["block_kib"] == "512" && row["encoding"] == "bf16" && row["depth"] == "1"
        select new SummaryLine(
            $"{row["tier"]}: {row["operation"]} of 512 KiB", $"{Number(row.Number("gb_s"))} GB/s", $"{row["limit"]} {Number(row.Number("limit_gb_s"))} GB/s", Percent(row.Number("ratio")));

    private static IEnumerable<SummaryLine> LoadOrRecompute(ResultTable table) =>
        from tier in table.Rows.GroupBy(row => row["tier"])
        let worst = tier.MaxBy(row => row.Number("chosen_over_better"))!
        let better = Math.Min(worst.Number("always_ms"), worst.Number("never_ms"))
        select new SummaryLine(
            $"TTFT of the chosen plan, {tier.Key}, {worst["prompt_tokens"]} tokens (worst of {tier.Count()} lengths)",
            $"{Number(worst.Number("chosen_ms"))} ms",
            $"better of loading and computing {Number(better)} ms",
            Times(worst.Number("chosen_over_better")));

    private static IEnumerable<SummaryLine> Encodings(ResultTable table)
    {
        ResultRow plain = table.Rows.Single(row => row["encoding"] == "bf16");
        return table.Rows.Where(row => row["encoding"] is not ("f32" or "bf16")).Select(row => new SummaryLine(
            $"{row["encoding"]}: {row["answers_changed"]} of {row["dialogues"]} answers changed",
            $"{row["bytes_per_token"]} bytes a token",
            $"bf16 {plain["bytes_per_token"]}",
            Times(row.Number("of_bf16")) + " as many tokens"));
    }

    private static IEnumerable<SummaryLine> GcPauses(ResultTable table) => table.Rows.Where(row => row["held_gib"] != "0").Select(row => new SummaryLine(
        $"p99 pause with {row["held_gib"]} GiB held",
        $"{Number(row.Number("pause_p99_ms"))} ms",
        $"nothing held {Number(table.Rows[0].Number("pause_p99_ms"))} ms",
        Times(row.Number("pause_p99_ms") / table.Rows[0].Number("pause_p99_ms"))));

    private static IEnumerable<SummaryLine> HitRate(ResultTable table)
    {
        ResultRow all = table.Rows.Single(row => row["capacity_blocks"] == "unbounded");
        return table.Rows.Where(row => row["cache"] == "one tier" && row["capacity_blocks"] is "1000" or "10000" or "50000").Select(row => new SummaryLine(
            $"hits with {row["capacity_blocks"]} blocks, recorded traffic", row["hits"], $"unbounded {all["hits"]}", Percent(row.Number("of_unbounded"))));
    }

    private static SummaryLine OverSize(string figure, ResultRow small, ResultRow large, string preposition) => new(
        figure,
        $"{Number(large.Number("median"))} ns",
        $"{preposition} {Blocks(small)} blocks {Number(small.Number("median"))} ns",
        Times(large.Number("median") / small.Number("median")));

    private static string Blocks(ResultRow row) => Invariant($"{row.Number("blocks in the tree"):N0}");

    private static string Place(string prefix) => prefix switch
    {
        "ram" => "in RAM",
        "disk" => "on disk",
        "redis" => "in Redis",
        _ => prefix,
    };

    private static string Percent(double fraction) => Invariant($"{100 * fraction:F0} %");

    private static string Times(double ratio) => Invariant($"{ratio:0.##} ×");

    // Three digits.
    private static string Number(double value) => value switch
    {
        >= 100 => Invariant($"{value:N0}"),
        >= 10 => Invariant($"{value:0.#}"),
        _ => Invariant($"{value:0.##}"),
    };
}
