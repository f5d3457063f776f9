using BenchmarkDotNet.Attributes;
using KvTiers.Inference.Kernels;

namespace KvTiers.Bench.Micro;

/// <summary>The feed-forward matrix of SmolLM2-135M on one thread: 1 row is decode, 192 rows are a block of prefill.</summary>
public unsafe class MatMulBenchmarks
{
    private const int Inputs = 576;
    private const int Outputs = 3072;
    private ThreadTeam? _team;
    private MatMul? _matMul;
    private PackedMatrix? _matrix;
    private NativeBuffer? _input;
    private NativeBuffer? _output;

    [Params(1, 8, 192)]
    public int Rows { get; set; }

    [Params("F32", "BF16", "Int8", "Int4")]
    public string Weights { get; set; } = "";

    [Params(KernelPath.Avx512, KernelPath.Avx2)]
    public KernelPath Path { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        _team = new ThreadTeam(1);
        _matMul = new MatMul(_team, KernelPaths.Choose(Path));
        _matrix = PackedMatrix.Pack(_team, Enum.Parse<PanelFormat>(Weights), new MatrixSourceOfOnes(Outputs, Inputs));
        _input = new NativeBuffer((long)Rows * Inputs * sizeof(float));
        _output = new NativeBuffer((long)Rows * Outputs * sizeof(float));
        new Span<float>(_input.Floats, Rows * Inputs).Fill(0.5f);
    }

    [Benchmark]
    public void Multiply() => _matMul!.Run(_matrix!, _input!.Floats, Rows, _output!.Floats, Outputs);

    [GlobalCleanup]
    public void Cleanup()
    {
        _matMul!.Dispose();
        _matrix!.Dispose();
        _input!.Dispose();
        _output!.Dispose();
        _team!.Dispose();
    }
}
