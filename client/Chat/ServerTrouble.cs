using KvTiers.Cli.Outcomes;
using static System.FormattableString;

namespace KvTiers.Cli.Chat;

/// <summary>One screen of what is wrong with a server: the address tried, how long, what was found there, what its log ends with, and what to run.</summary>
internal static class ServerTrouble
{
    private const int LogLines = 8;

    /// <param name="message">What is wrong, in one line.</param>
    /// <param name="probe">Where the server was looked for.</param>
    /// <param name="waited">For how long.</param>
    /// <param name="look">What was found last.</param>
    /// <param name="log">Path of the log of a server that was started; <see langword="null"/> = none was.</param>
    /// <param name="advice">What to run or do, a line each.</param>
    public static CliException Tell(string message, ServerProbe probe, TimeSpan waited, ServerLook look, string? log, params IEnumerable<string> advice)
    {
        List<string> lines = [Line("tried", Invariant($"{probe.ReadyUrl} for {waited.TotalSeconds:0.0} s")), Line("found", look.Words)];
        if (log is not null)
        {
            lines.Add(Line("log", log));
            lines.AddRange(EndOf(log).Select(line => Line("", line)));
        }

        lines.AddRange(advice.Select((line, i) => Line(i == 0 ? "do" : "or", line)));
        return new CliException(message) { Details = lines };
    }

    /// <summary>The command that starts a server at an address, from the repository's folder.</summary>
    public static string StartCommand(Uri url) => $"dotnet run --project silo -c Release -- --urls {url.GetLeftPart(UriPartial.Authority)}";

    private static string Line(string name, string text) => $"  {name,-6} {text}";

    private static IEnumerable<string> EndOf(string log)
    {
        // The server may be writing to it.
        using var stream = new FileStream(log, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        using var reader = new StreamReader(stream);
        var last = new Queue<string>();
        while (reader.ReadLine() is { } line)
        {
            if (string.IsNullOrWhiteSpace(line))
                continue;
            last.Enqueue(line.TrimEnd());
            if (last.Count > LogLines)
                last.Dequeue();
        }

        return last;
    }
}
