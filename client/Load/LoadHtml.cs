using System.Net;
using System.Text;
using KvTiers.Cli.Reports;
using static System.FormattableString;

namespace KvTiers.Cli.Load;

/// <summary>A load's result as one HTML file with its plots in it.</summary>
internal static class LoadHtml
{
    public static void Save(LoadResult result, string path)
    {
        LoadOptions options = result.Options;
        var html = new StringBuilder();
        html.Append(Invariant($$"""
            <!doctype html>
            <html lang="en"><head><meta charset="utf-8"><title>KvTiers load</title>
            <style>body{font:15px/1.5 sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#111827}table{border-collapse:collapse;margin:1rem 0}td,th{padding:.2rem .9rem .2rem 0;text-align:right}td:first-child,th:first-child{text-align:left}svg{width:100%;height:auto;margin:1rem 0}</style>
            </head><body>
            <h1>Load on {{options.Urls.Count}} silo{{(options.Urls.Count == 1 ? "" : "s")}}</h1>
            <p>{{options.Conversations}} conversations × {{options.Turns}} turns, {{options.Systems}} system prompts of {{options.SystemTokens}} words (zipf {{options.Zipf}}), messages of {{options.UserTokens}} words, answers of at most {{options.AnswerTokens}} tokens, {{100 * options.EditRate:0.#}} % edits, think time {{options.Think.TotalSeconds:0.###}} s, {{(options.Rate is { } rate ? Invariant($"{rate} new conversations a second") : "all at once")}}, seed {{options.Seed}}.</p>
            <p><b>{{result.Turns.Count:N0}} turns in {{result.Seconds:0.0}} s, {{result.TokensPerSecond:0.0}} tokens/s, {{100 * result.All.HitRate:0.0}} % of prompt tokens cached.</b> Failed turns: {{result.FailedTurns}}. {{(options.Verify ? Invariant($"Answers compared with the cache off: {result.Verified:N0}.") : "")}} Wrong: {{result.Wrong.Count}}.</p>
            <table><tr><th>ms</th><th>p50</th><th>p90</th><th>p99</th><th>max</th></tr>
            {{Row("time to first token", result.TtftMs)}}{{Row("time per token after it", result.TpotMs)}}{{Row("whole turn", result.EndToEndMs)}}</table>
            <table><tr><th>silo</th><th>turns</th><th>prompt tokens</th><th>hot</th><th>ram</th><th>disk</th><th>redis</th><th>generated</th></tr>

            """));
        foreach (LoadSilo silo in result.Silos)
        {
            html.Append(Invariant(
                $"<tr><td>{Text(silo.Silo)}</td><td>{silo.Turns}</td><td>{silo.PromptTokens}</td><td>{silo.Cached["hot"]}</td><td>{silo.Cached["ram"]}</td><td>{silo.Cached["disk"]}</td><td>{silo.Cached["redis"]}</td><td>{silo.CompletionTokens}</td></tr>\n"));
        }

        html.Append("</table>\n");
        foreach ((string kind, int count) in result.Faults)
            html.Append(Invariant($"<p>Failed calls, {Text(kind)}: {count}</p>\n"));
        foreach (string wrong in result.Wrong)
            html.Append($"<p><b>{Text(wrong)}</b></p>\n");
        if (result.Turns.Count > 0)
            html.Append(Times(result)).Append(Tiers(result));
        html.Append("</body></html>\n");
        File.WriteAllText(path, html.ToString());
    }

    private static SvgPlot Times(LoadResult result)
    {
        var plot = new SvgPlot { Title = "Share of turns that were at least as fast", XLabel = "milliseconds", YLabel = "% of turns", LogarithmicX = true };
        void Add(string name, IEnumerable<TimeSpan?> times)
        {
            double[] sorted = [.. times.OfType<TimeSpan>().Select(time => Math.Max(0.01, time.TotalMilliseconds)).Order()];
            if (sorted.Length > 0)
                plot.Add(new SvgSeries(name, [.. sorted.Select((time, i) => (time, 100.0 * (i + 1) / sorted.Length))]));
        }

        Add("first token", result.Turns.Select(turn => turn.Ttft));
        Add("whole turn", result.Turns.Select(turn => (TimeSpan?)turn.Duration));
        return plot;
    }

    private static SvgPlot Tiers(LoadResult result)
    {
        var plot = new SvgPlot { Title = "Where the prompts' tokens came from, by turn", XLabel = "turn", YLabel = "% of prompt tokens" };
        IGrouping<int, LoadTurn>[] turns = [.. result.Turns.GroupBy(turn => turn.Turn).OrderBy(group => group.Key)];
        void Add(string name, Func<LoadSilo, double> share) =>
            plot.Add(new SvgSeries(name, [.. turns.Select(group => (group.Key + 1.0, 100 * share(LoadSilo.Of("", [.. group]))))]));

        foreach (string tier in new[] { "hot", "ram", "disk", "redis" })
            Add(tier, all => all.PromptTokens == 0 ? 0 : (double)all.Cached[tier] / all.PromptTokens);
        Add("computed", all => 1 - all.HitRate);
        return plot;
    }

    private static string Row(string name, Percentiles? times) => times is null
        ? ""
        : Invariant($"<tr><td>{name}</td><td>{times.P50:0.0}</td><td>{times.P90:0.0}</td><td>{times.P99:0.0}</td><td>{times.Max:0.0}</td></tr>\n");

    private static string Text(string text) => WebUtility.HtmlEncode(text);
}
