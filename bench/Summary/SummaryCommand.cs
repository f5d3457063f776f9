using System.CommandLine;
using KvTiers.Bench.Reporting;

namespace KvTiers.Bench.Summary;

/// <summary><c>summary</c>: writes the table of docs/performance.md, and the engine's plot, from the results that are there.</summary>
internal static class SummaryCommand
{
    public static Command Create()
    {
        var command = new Command("summary", "Write the summary in docs/performance.md from bench/results.");
        command.SetAction(_ => Write());
        return command;
    }

    /// <summary>Writes both.</summary>
    public static void Write()
    {
        var results = new DirectoryInfo(RepositoryRoot.PathOf("bench", "results"));
        string page = RepositoryRoot.PathOf("docs", "performance.md");
        File.WriteAllText(page, SummaryTable.PutInto(File.ReadAllText(page), SummaryTable.Of(results)));
        var engine = new FileInfo(Path.Combine(results.FullName, "engine.csv"));
        if (engine.Exists)
            File.WriteAllText(Path.Combine(results.FullName, "engine.svg"), EnginePlot.Of(ResultTable.Parse(File.ReadAllText(engine.FullName))));

        Console.WriteLine($"written: {page}");
    }
}
