using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace KvTiers.Silo.Operations.Metrics;

/// <summary>The process's own basics: processor, memory, threads, garbage collection. Meter <c>KvTiers.Process</c>.</summary>
internal sealed class ProcessMetrics : IDisposable
{
    private readonly Meter _meter = new("KvTiers.Process");

    /// <summary>Measures from now on, whenever it is asked.</summary>
    public ProcessMetrics()
    {
        _meter.CreateObservableCounter("process.cpu", () => Environment.CpuUsage.TotalTime.TotalSeconds, "s", "Processor time of the process.");
        _meter.CreateObservableGauge("process.resident_memory", () => Environment.WorkingSet, "By", "Physical memory of the process.");
        _meter.CreateObservableGauge("process.start_time", StartTime, "s", "Start of the process, since 1970.");
        _meter.CreateObservableGauge("process.threads", Threads, "{thread}", "Threads of the process.");
        _meter.CreateObservableGauge("dotnet.gc.heap", () => GC.GetTotalMemory(forceFullCollection: false), "By", "Managed memory in use.");
        _meter.CreateObservableCounter("dotnet.gc.allocated", () => GC.GetTotalAllocatedBytes(), "By", "Managed memory allocated since the start.");
        _meter.CreateObservableCounter("dotnet.gc.pause", () => GC.GetTotalPauseDuration().TotalSeconds, "s", "Time that garbage collections paused the process.");
        _meter.CreateObservableCounter("dotnet.gc.collections", Collections, "{collection}", "Garbage collections, by generation.");
    }

    /// <inheritdoc/>
    public void Dispose() => _meter.Dispose();

    private static double StartTime()
    {
        using var process = Process.GetCurrentProcess();
        return new DateTimeOffset(process.StartTime).ToUnixTimeMilliseconds() / 1000.0;
    }

    private static int Threads()
    {
        using var process = Process.GetCurrentProcess();
        return process.Threads.Count;
    }

    private static IEnumerable<Measurement<int>> Collections() =>
        Enumerable.Range(0, GC.MaxGeneration + 1)
            .Select(generation => new Measurement<int>(GC.CollectionCount(generation), new KeyValuePair<string, object?>("generation", generation)));
}
