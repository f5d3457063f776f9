using System.Runtime.CompilerServices;

namespace KvTiers.Inference.Kernels;

/// <summary>
/// y = (x − mean(x)) / √(variance(x) + ε) · weight + bias, row by row. Both sums run in 16 lanes, element i in lane i mod 16, then
/// over the lanes as a tree. What the squares have beyond a multiple of 16 elements is summed apart and added last.
/// </summary>
internal sealed unsafe class LayerNorm(ThreadTeam team, KernelPath path) : ITeamJob
{
    private const int RowsPerChunk = 8;
    private float* _input;
    private float* _weight;
    private float* _bias;
    private float* _output;
    private int _rows;
    private int _length;
    private float _epsilon;

    /// <summary>Normalises rows.</summary>
    /// <param name="input">[rows, length].</param>
    /// <param name="weight">[length].</param>
    /// <param name="bias">[length].</param>
    /// <param name="epsilon">The term under the root.</param>
    /// <param name="output">[rows, length]. May be the input.</param>
    /// <param name="rows">Rows.</param>
    /// <param name="length">Elements of a row.</param>
    public void Run(float* input, float* weight, float* bias, float epsilon, float* output, int rows, int length)
    {
        _input = input;
        _weight = weight;
        _bias = bias;
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
        TLanes sum = TLanes.Zero;
        for (int i = 0; i < whole; i += 16)
            sum += TLanes.Load(input + i);
        if (rest > 0)
            sum += LaneTail.Load<TLanes>(input + whole, rest);

        float average = TLanes.Sum(sum) / _length;
        TLanes mean = TLanes.Broadcast(average), squares = TLanes.Zero;
        for (int i = 0; i < whole; i += 16)
        {
            TLanes x = TLanes.Load(input + i) - mean;
            squares = TLanes.Fma(x, x, squares);
        }
        float tail = 0;
        for (int i = whole; i < _length; i++)
            tail = MathF.FusedMultiplyAdd(input[i] - average, input[i] - average, tail);

        TLanes scale = TLanes.Broadcast(1f / MathF.Sqrt((TLanes.Sum(squares) + tail) / _length + _epsilon));
        for (int i = 0; i < whole; i += 16)
        {
            TLanes x = (TLanes.Load(input + i) - mean) * scale;
            TLanes.Store(TLanes.Fma(x, TLanes.Load(_weight + i), TLanes.Load(_bias + i)), output + i);
        }
        if (rest > 0)
        {
            TLanes x = (LaneTail.Load<TLanes>(input + whole, rest) - mean) * scale;
            TLanes y = TLanes.Fma(x, LaneTail.Load<TLanes>(_weight + whole, rest), LaneTail.Load<TLanes>(_bias + whole, rest));
            LaneTail.Store(y, output + whole, rest);
        }
    }
}
