using System.CommandLine;
using System.Diagnostics;
using KvTiers.Bench.Reporting;

namespace KvTiers.Bench.Summary;

/// <summary><c>all</c>: every benchmark after the other, each as a process of its own within a limit of time, then the summary.</summary>
internal static class AllCommand
{
    // By how long each takes on two processors, with room.
    private static readonly (string Name, TimeSpan Limit)[] Steps =
    [
        ("limits", TimeSpan.FromMinutes(3)),
        ("engine", TimeSpan.FromMinutes(10)),
        ("busy-neighbour", TimeSpan.FromMinutes(5)),
        ("constraint", TimeSpan.FromMinutes(3)),
        ("cache-on-off", TimeSpan.FromMinutes(12)),
        ("warm-turn", TimeSpan.FromMinutes(5)),
        ("start", TimeSpan.FromMinutes(8)),
        ("serving", TimeSpan.FromMinutes(12)),
        ("cache", TimeSpan.FromMinutes(10)),
        ("tiers", TimeSpan.FromMinutes(10)),
        ("protection", TimeSpan.FromMinutes(6)),
        ("load-or-recompute", TimeSpan.FromMinutes(10)),
        ("encodings", TimeSpan.FromMinutes(10)),
        ("gc-pauses", TimeSpan.FromMinutes(5)),
        ("hit-rate", TimeSpan.FromMinutes(5)),
    ];

    public static Command Create()
    {
        var only = new Option<string[]>("--only") { Description = "Benchmarks to run; all without it.", AllowMultipleArgumentsPerToken = true };
        only.AcceptOnlyFromAmong([.. Steps.Select(step => step.Name)]);
        var trace = new Option<FileInfo?>("--trace") { Description = "The trace for hit-rate, which is left out without one." };
        var command = new Command("all", "Run the benchmarks one after the other into bench/results, and write the summary in docs/performance.md.") { only, trace };
        command.SetAction((parsed, cancel) => RunAsync(parsed.GetValue(only) ?? [], parsed.GetValue(trace), cancel));
        return command;
    }

    private static async Task<int> RunAsync(string[] only, FileInfo? trace, CancellationToken cancel)
    {
        if (!RedisProcess.IsAvailable)
            Console.WriteLine("redis-server is not installed: what needs it is left out");

        var failed = new List<string>();
        foreach ((string name, TimeSpan limit) in Steps.Where(step => only.Length == 0 || only.Contains(step.Name)))
        {
            if (name == "hit-rate" && trace is null)
            {
                Console.WriteLine("hit-rate needs a trace (--trace): it is left out");
                continue;
            }

            Console.WriteLine($"== {name}");
            if (await RunStepAsync(name, trace, limit, cancel) is { } fault)
            {
                Console.WriteLine($"== {name}: {fault}");
                failed.Add(name);
            }
        }

        SummaryCommand.Write();
        if (failed.Count > 0)
            Console.WriteLine($"failed: {string.Join(", ", failed)}");

        return failed.Count == 0 ? 0 : 1;
    }

    // Into a folder of its own first: a benchmark that fails leaves the committed results as they were.
    private static async Task<string?> RunStepAsync(string name, FileInfo? trace, TimeSpan limit, CancellationToken cancel)
    {
        DirectoryInfo folder = Directory.CreateTempSubdirectory("kvtiers-bench-all-");
        try
        {
            string[] program = Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet" ? [typeof(AllCommand).Assembly.Location] : [];
            string[] arguments = [.. program, name, .. name == "hit-rate" ? [trace!.FullName] : (string[])[], "--out", folder.FullName];
            using var process = Process.Start(new ProcessStartInfo(Environment.ProcessPath!, arguments))!;
            using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancel);
            deadline.CancelAfter(limit);
            try
            {
                await process.WaitForExitAsync(deadline.Token);
            }
            catch (OperationCanceledException)
            {
                process.Kill(entireProcessTree: true);
                cancel.ThrowIfCancellationRequested();
                return $"not done after {limit.TotalMinutes:F0} minutes";
            }

            if (process.ExitCode != 0)
                return $"exit code {process.ExitCode}";

            foreach (FileInfo file in folder.EnumerateFiles())
                file.CopyTo(RepositoryRoot.PathOf("bench", "results", file.Name), overwrite: true);

            return null;
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }
}
