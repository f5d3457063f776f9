using System.CommandLine;
using System.Diagnostics;
using KvTiers.Bench.EngineSpeed;
using KvTiers.Bench.Reporting;

namespace KvTiers.Bench.Serving;

/// <summary>
/// <c>start</c>: from the start of the server's process to ready, with no packed weights yet and with those of the start before, beside a fresh process that
/// only prints its version.
/// </summary>
internal static class StartCommand
{
    // The system takes back memory that a process left only after some seconds; a start right after another finds it at hand, and is faster than it should be.
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(6);

    public static Command Create()
    {
        var output = ResultFile.Option();
        var models = EngineCommand.ModelsOption();
        var repeat = new Option<int>("--repeat") { Description = "Starts of each kind; medians are reported.", DefaultValueFactory = _ => 5 };
        var command = new Command("start", "Measure the server's start, first and second.") { output, models, repeat };
        command.SetAction((parsed, cancel) => RunAsync(parsed.GetValue(output), parsed.GetRequiredValue(models), parsed.GetValue(repeat), cancel));
        return command;
    }

    private static async Task RunAsync(DirectoryInfo? output, DirectoryInfo models, int repeat, CancellationToken cancel)
    {
        string folder = BenchModel.Make("smollm2-135m", models);
        using var result = ResultFile.Create(output, "start", "weights", "start", "ready_s", "least_s", "greatest_s");
        foreach (string weights in (string[])["f32", "bf16", "int8"])
        {
            List<double> first = [], second = [];
            for (int i = 0; i < repeat; i++)
            {
                DirectoryInfo data = Directory.CreateTempSubdirectory("kvtiers-start-");
                try
                {
                    foreach (List<double> kind in (List<double>[])[first, second])
                    {
                        await Task.Delay(Pause, cancel);
                        var clock = Stopwatch.StartNew();
                        await using ServerProcess server = await ServerProcess.StartAsync(folder, ["--weights", weights, "--data", data.FullName], cancel);
                        kind.Add(clock.Elapsed.TotalSeconds);
                    }
                }
                finally
                {
                    data.Delete(recursive: true);
                }
            }

            Add("first", first);
            Add("second", second);

            void Add(string start, List<double> seconds) => result.Add(weights, start, seconds.Order().ElementAt(seconds.Count / 2), seconds.Min(), seconds.Max());
        }
    }
}
