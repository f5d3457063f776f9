using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using KvTiers.Cli.Cluster;
using KvTiers.Cli.Load;
using KvTiers.Cli.Outcomes;
using KvTiers.Cli.Terminals;
using KvTiers.Client;
using KvTiers.Conversations;
using Spectre.Console;

namespace KvTiers.Cli.Commands;

/// <summary><c>load</c>: many conversations at once over one silo or several, and whether every answer was right.</summary>
internal static class LoadCommand
{
    public static Command Create(CliContext context)
    {
        var defaults = new LoadOptions { Urls = [new KvTiersClientOptions().BaseAddress] };
        Option<Uri[]> urls = new("--url")
        {
            Description = $"A silo's address; repeat it for several (default: {defaults.Urls[0]}).",
            HelpName = "url",
            AllowMultipleArgumentsPerToken = false,
            CustomParser = ParseUrls,
        };
        Option<int> conversations = Number("--conversations", "Conversations.", defaults.Conversations, 1, 100_000);
        Option<int> turns = Number("--turns", "Turns of each conversation.", defaults.Turns, 1, 1_000);
        Option<int> systemTokens = Number("--system-tokens", "Length of a system prompt in words, each about a token; 0 for none.", defaults.SystemTokens, 0, 100_000);
        Option<int> systems = Number("--systems", "Different system prompts.", defaults.Systems, 1, 10_000);
        Option<double> zipf = Real("--zipf", "How unevenly conversations share the system prompts: the k-th is drawn with weight 1/k^z.", defaults.Zipf, 0, 10);
        Option<int> userTokens = Number("--user-tokens", "Length of a message in words, each about a token.", defaults.UserTokens, 1, 100_000);
        Option<int> answerTokens = Number("--answer-tokens", "Most tokens of an answer.", defaults.AnswerTokens, 1, 100_000);
        Option<double> editRate = Real("--edit-rate", "Share of turns that edit an earlier message.", defaults.EditRate, 0, 1);
        Option<TimeSpan> think = Time("--think", "Mean time between an answer and the next message.", defaults.Think, TimeSpan.Zero, TimeSpan.FromHours(1));
        Option<double?> rate = new("--rate") { Description = "Conversations that begin in a second, whatever the others do (default: all at once).", HelpName = "n" };
        rate.Validators.Add(result => Check(result, result.GetValueOrDefault<double?>() is not { } value || value is > 0 and <= 1_000_000, "above 0 and at most 1000000"));
        Option<int> seed = Number("--seed", "Seed of all messages, edits and choices.", defaults.Seed, int.MinValue, int.MaxValue);
        Option<TimeSpan> patience = Time("--patience", "How long a failed turn is tried again.", defaults.Patience, TimeSpan.Zero, TimeSpan.FromHours(1));
        Option<TimeSpan> maxTime = Time("--max-time", "When the run is given up.", defaults.MaxTime, TimeSpan.FromSeconds(1), TimeSpan.FromDays(1));
        var apiKey = new ApiKeyOption();
        Option<bool> verify = new("--verify") { Description = "Take every turn again with the cache off, and compare the answers." };
        Option<bool> json = new("--json") { Description = "Write the result as one line of JSON." };
        Option<FileInfo?> csv = new("--csv") { Description = "Write every turn to this file.", HelpName = "file" };
        Option<FileInfo?> html = new("--html") { Description = "Write a report with plots to this file.", HelpName = "file" };

        Command command = new("load", "Put load on one silo or several, measure it, and check every answer.")
        {
            urls, conversations, turns, systemTokens, systems, zipf, userTokens, answerTokens, editRate, think, rate, seed, patience, maxTime, verify, json, csv, html,
        };
        apiKey.AddTo(command);
        var cluster = new ClusterOption();
        cluster.AddTo(command, urls);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            ClusterAddress? address = cluster.Value(parsed);
            var options = new LoadOptions
            {
                Urls = address is not null ? [new UriBuilder("orleans", address.Id).Uri] : parsed.GetValue(urls) is { Length: > 0 } given ? given : defaults.Urls,
                ApiKey = apiKey.Of(parsed),
                Conversations = parsed.GetValue(conversations),
                Turns = parsed.GetValue(turns),
                SystemTokens = parsed.GetValue(systemTokens),
                Systems = parsed.GetValue(systems),
                Zipf = parsed.GetValue(zipf),
                UserTokens = parsed.GetValue(userTokens),
                AnswerTokens = parsed.GetValue(answerTokens),
                EditRate = parsed.GetValue(editRate),
                Think = parsed.GetValue(think),
                Rate = parsed.GetValue(rate),
                Seed = parsed.GetValue(seed),
                Patience = parsed.GetValue(patience),
                MaxTime = parsed.GetValue(maxTime),
                Verify = parsed.GetValue(verify),
            };
            LoadResult result = await RunAsync(context, options, address, cancellationToken).ConfigureAwait(false);
            if (parsed.GetValue(csv) is { } csvFile)
                LoadReport.SaveCsv(result, csvFile.FullName);
            if (parsed.GetValue(html) is { } htmlFile)
                LoadHtml.Save(result, htmlFile.FullName);
            if (parsed.GetValue(json))
                context.Terminal.Output.WriteLine(LoadReport.ToJson(result));
            else
                LoadReport.Write(context.Terminal, result);
            return result.Wrong.Count == 0 ? ExitCodes.Ok : ExitCodes.Error;
        });
        return command;
    }

    private static async Task<LoadResult> RunAsync(CliContext context, LoadOptions options, ClusterAddress? cluster, CancellationToken cancellationToken)
    {
        await using ClusterDoor? door = cluster is null ? null : await ClusterDoor.OpenAsync(cluster, cancellationToken).ConfigureAwait(false);
        using var http = new HttpClient(context.NewHttpHandler()) { Timeout = Timeout.InfiniteTimeSpan };
        IConversations[] silos = door is not null ? [door.Conversations] : [.. options.Urls.Select(url => new HttpConversations(http, new KvTiersClientOptions { BaseAddress = url, ApiKey = options.ApiKey }))];
        var run = new LoadRun(options, silos);
        Terminal terminal = context.Terminal;
        if (!terminal.ErrorStyled)
            return await run.RunAsync(() => { }, cancellationToken).ConfigureAwait(false);
        return await terminal.ErrorConsole.Progress().AutoClear(true).StartAsync(progress =>
        {
            ProgressTask task = progress.AddTask("load", maxValue: run.StepCount);
            return run.RunAsync(() => task.Increment(1), cancellationToken);
        }).ConfigureAwait(false);
    }

    private static Uri[]? ParseUrls(ArgumentResult result)
    {
        var urls = new List<Uri>();
        foreach (Token token in result.Tokens)
        {
            if (Uri.TryCreate(token.Value, UriKind.Absolute, out Uri? url) && url is { Scheme: "http" or "https", Query: "", Fragment: "" })
                urls.Add(url);
            else
                result.AddError($"--url '{token.Value}' must be an absolute http or https URL, such as http://127.0.0.1:5080.");
        }

        return [.. urls];
    }

    private static Option<int> Number(string name, string description, int fallback, int least, int most)
    {
        Option<int> option = new(name) { Description = description, HelpName = "n", DefaultValueFactory = _ => fallback };
        option.Validators.Add(result => Check(result, result.GetValueOrDefault<int>() is var value && value >= least && value <= most, $"from {least} to {most}"));
        return option;
    }

    private static Option<double> Real(string name, string description, double fallback, double least, double most)
    {
        Option<double> option = new(name) { Description = description, HelpName = "x", DefaultValueFactory = _ => fallback };
        option.Validators.Add(result => Check(
            result, result.GetValueOrDefault<double>() is var value && value >= least && value <= most, FormattableString.Invariant($"from {least} to {most}")));
        return option;
    }

    private static Option<TimeSpan> Time(string name, string description, TimeSpan fallback, TimeSpan least, TimeSpan most) => new(name)
    {
        Description = description,
        HelpName = "time",
        DefaultValueFactory = _ => fallback,
        CustomParser = result =>
        {
            string text = result.Tokens[0].Value;
            TimeSpan? time = ParseTime(text);
            if (time is null || time < least || time > most)
                result.AddError($"{name} '{text}' must be a time such as 500ms, 2s or 10m, from {least} to {most}.");
            return time ?? fallback;
        },
    };

    private static TimeSpan? ParseTime(string text)
    {
        foreach ((string unit, double seconds) in new[] { ("ms", 0.001), ("s", 1), ("m", 60), ("h", 3600) })
        {
            if (text.EndsWith(unit, StringComparison.Ordinal)
                && double.TryParse(text.AsSpan(0, text.Length - unit.Length), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double value)
                && value * seconds <= TimeSpan.FromDays(1).TotalSeconds)
                return TimeSpan.FromSeconds(value * seconds);
        }

        return null;
    }

    private static void Check(OptionResult result, bool holds, string rule)
    {
        if (result.Tokens.Count == 1 && !holds)
            result.AddError($"{result.Option.Name} must be {rule}.");
    }
}
