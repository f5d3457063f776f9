using System.Diagnostics;
using System.Globalization;

namespace KvTiers.Bench.Tiers;

/// <summary>The limit of tiers on Redis: <c>redis-benchmark</c> with values of the block's size, as many keys, and one connection for each call under way.</summary>
internal sealed class RedisBenchmarkLoad(int port, int blockBytes, int keys, int depth, bool put) : ILoad
{
    private double _requestsPerSecond = 500;

    /// <summary>Sets each key, but for a few that chance leaves out.</summary>
    public Task FillAsync() => RunAsync("set", 5 * keys);

    public async Task RunAsync(TimeSpan slice, Samples samples)
    {
        int requests = Math.Max(20, (int)(_requestsPerSecond * slice.TotalSeconds));
        Report report = await RunAsync(put ? "set" : "get", requests);
        while (double.IsInfinity(report.RequestsPerSecond))
        {
            requests *= 4; // it was over within its clock's millisecond
            report = await RunAsync(put ? "set" : "get", requests);
        }

        _requestsPerSecond = report.RequestsPerSecond;
        samples.Add(requests / report.RequestsPerSecond, (long)requests * blockBytes, 1000 * report.Milliseconds50, 1000 * report.Milliseconds99);
    }

    private async Task<Report> RunAsync(string test, int requests)
    {
        var start = new ProcessStartInfo("redis-benchmark", $"-h 127.0.0.1 -p {port} -t {test} -d {blockBytes} -n {requests} -c {depth} -r {keys} --csv")
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using Process process = Process.Start(start)!;
        _ = process.StandardError.ReadToEndAsync();
        string output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();

        // "test","rps","avg_latency_ms","min_latency_ms","p50_latency_ms","p95_latency_ms","p99_latency_ms","max_latency_ms"
        double[] numbers = [.. output.Trim().Split('\n')[^1].Split(',').Skip(1).Select(Parse)];
        return new Report(numbers[0], numbers[3], numbers[5]);
    }

    private static double Parse(string field) =>
        field.Contains("inf") ? double.PositiveInfinity : double.Parse(field.Trim('"'), CultureInfo.InvariantCulture);

    private sealed record Report(double RequestsPerSecond, double Milliseconds50, double Milliseconds99);
}
