using KvTiers.Bench.Reporting;

namespace KvTiers.Bench.Serving;

/// <summary>The rows of <c>serving</c> and their plots.</summary>
internal sealed class ServingResult(DirectoryInfo? folder, string shape) : IDisposable
{
    private readonly ResultFile _file = ResultFile.Create(
        folder, "serving", "shape", "prefix", "conversations", "answers", "prefix_tokens", "prompt_tokens", "answer_tokens",
        "ttft_p50_ms", "ttft_p99_ms", "tpot_p50_ms", "tpot_p99_ms", "tokens_per_s", "seconds", "gen2_collections", "ttft_off_over_this");

    private readonly List<ServingRow> _rows = [];

    /// <summary>Adds a row; those with the cache off come first, as the others' baseline.</summary>
    public void Add(ServingRow row)
    {
        _rows.Add(row);
        ServingRow? off = _rows.Find(other => other.Place == PrefixPlace.Off && other.Conversations == row.Conversations);
        _file.Add(
            shape, NameOf(row.Place), row.Conversations, row.Answers.Count, row.PrefixTokens, row.PromptTokens, row.Answers[0].CompletionTokens,
            row.Ttft.P50, row.Ttft.P99, row.Tpot.P50, row.Tpot.P99, row.TokensPerSecond, row.Seconds, row.FullCollections,
            off is null ? "" : off.Ttft.P50 / row.Ttft.P50);
    }

    /// <summary>Writes the plots beside the rows.</summary>
    public void SavePlots()
    {
        if (folder is null || _rows.Count == 0)
            return;

        Save("serving-ttft.svg", $"Time to the first token, {shape}", "median (ms)", row => row.Ttft.P50);
        Save("serving-tokens.svg", $"Tokens a second, {shape}", "tokens/s", row => row.TokensPerSecond);
    }

    public void Dispose() => _file.Dispose();

    public static string NameOf(PrefixPlace place) => place.ToString().ToLowerInvariant();

    private void Save(string file, string title, string label, Func<ServingRow, double> value)
    {
        var plot = new SvgPlot { Title = title, XLabel = "conversations at one time", YLabel = label, LogarithmicX = true };
        foreach (IGrouping<PrefixPlace, ServingRow> place in _rows.GroupBy(row => row.Place))
            plot.Add(new SvgSeries(NameOf(place.Key), [.. place.Select(row => ((double)row.Conversations, value(row)))], place.Key == PrefixPlace.Off));

        plot.Save(Path.Combine(folder!.FullName, file));
    }
}
