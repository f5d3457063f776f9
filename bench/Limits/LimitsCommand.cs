using System.CommandLine;
using KvTiers.Bench.Reporting;

namespace KvTiers.Bench.Limits;

/// <summary><c>limits</c>: the machine's own limits, as CSV.</summary>
internal static class LimitsCommand
{
    public static Command Create()
    {
        var output = ResultFile.Option();
        var command = new Command("limits", "Measure memory bandwidth, fused multiply-adds and hash rates.") { output };
        command.SetAction(parsed => Run(parsed.GetValue(output)));
        return command;
    }

    private static void Run(DirectoryInfo? folder)
    {
        using var result = ResultFile.Create(folder, "limits", "limit", "threads", "value", "unit");
        foreach (int threads in new[] { 1, Environment.ProcessorCount }.Distinct())
        {
            result.Add("memory read", threads, MachineLimits.MemoryReadBytesPerSecond(threads) / 1e9, "GB/s");
            result.Add("memory copy", threads, MachineLimits.MemoryCopyBytesPerSecond(threads) / 1e9, "GB/s");
            result.Add("fused multiply-add f32", threads, MachineLimits.FusedMultiplyAddsPerSecond(threads, TimeSpan.FromSeconds(2)) / 1e9, "GFLOP/s");
        }

        result.Add("SHA-256", 1, MachineLimits.Sha256BytesPerSecond() / 1e9, "GB/s");
        result.Add("CRC-32C", 1, MachineLimits.Crc32CBytesPerSecond() / 1e9, "GB/s");
    }
}
