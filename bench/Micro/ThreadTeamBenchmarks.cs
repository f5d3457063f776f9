using BenchmarkDotNet.Attributes;
using KvTiers.Inference.Kernels;

namespace KvTiers.Bench.Micro;

/// <summary>What sharing out work costs: a job of empty chunks.</summary>
public class ThreadTeamBenchmarks
{
    private readonly EmptyJob _job = new();
    private ThreadTeam? _team;

    [Params(1, 2)]
    public int Threads { get; set; }

    [Params(2, 32)]
    public int Chunks { get; set; }

    [GlobalSetup]
    public void Setup() => _team = new ThreadTeam(Threads);

    [Benchmark]
    public void Dispatch() => _team!.Run(_job, Chunks);

    [GlobalCleanup]
    public void Cleanup() => _team!.Dispose();

    private sealed class EmptyJob : ITeamJob
    {
        public void Run(int chunk, int worker)
        {
        }
    }
}
