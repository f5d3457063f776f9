using System.Runtime.CompilerServices;

namespace KvTiers.Inference.Kernels;

/// <summary>
/// y = x / √(mean(x²) + ε) · weight, row by row. The squares are summed in 16 lanes, element i in lane i mod 16, then over the
/// lanes as a tree.
/// </summary>
internal sealed unsafe class RmsNorm(ThreadTeam team, KernelPath path) : ITeamJob
{
    private const int RowsPerChunk = 8;
    private float* _input;
    private float* _weight;
    private float* _output;
    private int _rows;
    private int _length;
    private float _epsilon;

    /// <summary>Normalises rows.</summary>
    /// <param name="input">[rows, length].</param>
    /// <param name="weight">[length].</param>
    /// <param name="epsilon">The term under the root.</param>
    /// <param name="output">[rows, length]. May be the input.</param>
    /// <param name="rows">Rows.</param>
    /// <param name="length">Elements of a row.</param>
    public void Run(float* input, float* weight, float epsilon, float* output, int rows, int length)
    {
        _input = input;
        _weight = weight;
        _epsilon = epsilon;
        _output = output;
        _rows = rows;
        _length = length;
        team.Run(this, (rows + RowsPerChunk - 1) / RowsPerChunk);
    }

    void ITeamJob.Run(int chunk, int worker)
    {
        int last = Math.Min((chunk + 1) * RowsPerChunk, _rows);
        for (int row = chunk * RowsPerChunk; row < last; row++)
        {
            float* input = _input + (long)row * _length, output = _output + (long)row * _length;
            switch (path)
            {
                case KernelPath.Avx512:
                    Normalise<Lanes512>(input, output);
                    break;
                case KernelPath.Avx2:
                    Normalise<Lanes256>(input, output);
                    break;
                default:
                    Normalise<LanesPlain>(input, output);
                    break;
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Normalise<TLanes>(float* input, float* output)
        where TLanes : struct, ILanes<TLanes>
    {
        int whole = _length & -16, rest = _length - whole;
        TLanes squares = TLanes.Zero;
        for (int i = 0; i < whole; i += 16)
        {
            TLanes x = TLanes.Load(input + i);
            squares = TLanes.Fma(x, x, squares);
        }
        if (rest > 0)
        {
            TLanes x = LaneTail.Load<TLanes>(input + whole, rest);
            squares = TLanes.Fma(x, x, squares);
        }

        TLanes scale = TLanes.Broadcast(1f / MathF.Sqrt(TLanes.Sum(squares) / _length + _epsilon));
        for (int i = 0; i < whole; i += 16)
            TLanes.Store(TLanes.Load(input + i) * scale * TLanes.Load(_weight + i), output + i);
        if (rest > 0)
        {
            TLanes y = LaneTail.Load<TLanes>(input + whole, rest) * scale * LaneTail.Load<TLanes>(_weight + whole, rest);
            LaneTail.Store(y, output + whole, rest);
        }
    }
}
