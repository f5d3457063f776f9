using System.Runtime.CompilerServices;

namespace KvTiers.Inference.Kernels;

/// <summary>
/// y = (x − mean(x)) / √(variance(x) + ε) · weight + bias, vector by vector. Both sums run in 16 lanes, element i in lane i mod 16, then
/// over the lanes as a tree. What the squares have beyond a multiple of 16 elements is summed apart and added last.
/// </summary>
internal sealed unsafe class LayerNorm(ThreadTeam team, KernelPath path) : ITeamJob
{
    private const int RowsPerChunk = 8;
    private NormRows _all;

    /// <summary>Normalises rows.</summary>
    /// <param name="input">[rows, length].</param>
    /// <param name="weight">[length].</param>
    /// <param name="bias">[length].</param>
    /// <param name="epsilon">The term under the root.</param>
    /// <param name="output">[rows, length]. May be the input.</param>
    /// <param name="rows">Rows.</param>
    /// <param name="length">Elements of a row.</param>
    public void Run(float* input, float* weight, float* bias, float epsilon, float* output, int rows, int length) => Run(new NormRows
    {
        Input = input,
        InputStride = length,
        Weight = weight,
        Bias = bias,
        Epsilon = epsilon,
        Output = output,
        OutputStride = length,
        Rows = rows,
        Length = length,
    });

    /// <summary>Normalises vectors.</summary>
    public void Run(in NormRows rows)
    {
        _all = rows;
        team.Run(this, (rows.Rows + RowsPerChunk - 1) / RowsPerChunk);
    }

    void ITeamJob.Run(int chunk, int worker)
    {
        int last = Math.Min((chunk + 1) * RowsPerChunk, _all.Rows);
        for (int row = chunk * RowsPerChunk; row < last; row++)
        {
            float* input = _all.Input + (long)row * _all.InputStride, output = _all.Output + (long)row * _all.OutputStride, weight = _all.Weight;
            for (int group = 0; group < _all.Groups; group++, input += _all.Length, output += _all.Length, weight += _all.WeightStride)
            {
                switch (path)
                {
                    case KernelPath.Avx512:
                        Normalise<Lanes512>(input, weight, output);
                        break;
                    case KernelPath.Avx2:
                        Normalise<Lanes256>(input, weight, output);
                        break;
                    default:
                        Normalise<LanesPlain>(input, weight, output);
                        break;
                }
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Normalise<TLanes>(float* input, float* weight, float* output)
        where TLanes : struct, ILanes<TLanes>
    {
        int length = _all.Length, whole = length & -16, rest = length - whole;
        bool isAdded = _all.IsAdded;
        float* bias = _all.Bias;
        TLanes sum = TLanes.Zero;
        for (int i = 0; i < whole; i += 16)
            sum += TLanes.Load(input + i);
        if (rest > 0)
            sum += LaneTail.Load<TLanes>(input + whole, rest);

        float average = TLanes.Sum(sum) / length;
        TLanes mean = TLanes.Broadcast(average), squares = TLanes.Zero;
        for (int i = 0; i < whole; i += 16)
        {
            TLanes x = TLanes.Load(input + i) - mean;
            squares = TLanes.Fma(x, x, squares);
        }
        float tail = 0;
        for (int i = whole; i < length; i++)
            tail = MathF.FusedMultiplyAdd(input[i] - average, input[i] - average, tail);

        TLanes scale = TLanes.Broadcast(1f / MathF.Sqrt((TLanes.Sum(squares) + tail) / length + _all.Epsilon));
        for (int i = 0; i < whole; i += 16)
        {
            TLanes x = (TLanes.Load(input + i) - mean) * scale;
            TLanes y = TLanes.Fma(x, TLanes.Load(weight + i), bias == null ? TLanes.Zero : TLanes.Load(bias + i));
            if (isAdded)
                y += TLanes.Load(output + i);
            TLanes.Store(y, output + i);
        }
        if (rest > 0)
        {
            TLanes x = (LaneTail.Load<TLanes>(input + whole, rest) - mean) * scale;
            TLanes shift = bias == null ? TLanes.Zero : LaneTail.Load<TLanes>(bias + whole, rest);
            TLanes y = TLanes.Fma(x, LaneTail.Load<TLanes>(weight + whole, rest), shift);
            if (isAdded)
                y += LaneTail.Load<TLanes>(output + whole, rest);
            LaneTail.Store(y, output + whole, rest);
        }
    }
}
