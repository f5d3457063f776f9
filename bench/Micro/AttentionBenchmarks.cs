using BenchmarkDotNet.Attributes;
using KvTiers.Blocks;
using KvTiers.Inference.Kernels;
using KvTiers.Inference.Model;

namespace KvTiers.Bench.Micro;

/// <summary>One layer of SmolLM2-135M's attention, one thread: a row at depth 2,048, and a tile of prefill there.</summary>
public unsafe class AttentionBenchmarks
{
    private const int Depth = 2048;
    private const int Heads = 9;
    private BlockLayout? _layout;
    private BlockPool? _pool;
    private ThreadTeam? _team;
    private PagedAttention? _attention;
    private StepRows? _rows;
    private StepBatch? _batch;
    private NativeBuffer? _queries;
    private NativeBuffer? _output;

    [Params(1, 5)]
    public int Rows { get; set; }

    [Params(KvFormat.BF16, KvFormat.F32)]
    public KvFormat Kv { get; set; }

    [Params(KernelPath.Avx512, KernelPath.Avx2)]
    public KernelPath Path { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        _layout = new BlockLayout(30, 3, 64, Kv);
        _pool = new BlockPool(_layout, _layout.BlocksFor(Depth));
        BlockTable table = new();
        while (_pool.TryAllocate(out int slot))
        {
            _pool.Bytes(slot).Clear();
            table.Append(slot, _pool.Address(slot));
        }
        _team = new ThreadTeam(1);
        _attention = new PagedAttention(_team, KernelPaths.Choose(Path), _layout, Heads);
        _rows = new StepRows(16, PagedAttention.RowsPerTile(Heads / 3));
        _batch = new StepBatch(_layout, 1);
        _batch.Add(table, new int[Rows], Depth - Rows, 0);
        _rows.Set(_batch.TokenIds, _batch.Segments, 0, Rows);
        _queries = new NativeBuffer(16 * 15 * 64 * sizeof(float));
        _output = new NativeBuffer(16 * Heads * 64 * sizeof(float));
    }

    [Benchmark]
    public void Attend() => _attention!.Run(_rows!, 7, int.MaxValue, _queries!.Floats, 15 * 64, _output!.Floats);

    [GlobalCleanup]
    public void Cleanup()
    {
        _attention!.Dispose();
        _batch!.Dispose();
        _queries!.Dispose();
        _output!.Dispose();
        _team!.Dispose();
        _pool!.Dispose();
    }
}
