namespace KvTiers.Inference.Kernels;

/// <summary>Some of the rows of a tile: copied together, and added back with a weight each. An element is one fused multiply-add, whatever the path.</summary>
internal sealed unsafe class RowSelection(ThreadTeam team, KernelPath path, int mostRows) : ITeamJob
{
    private const int RowsPerChunk = 8;
    private readonly int[] _rows = new int[mostRows];
    private readonly float[] _weights = new float[mostRows];
    private bool _isAdding;
    private float* _source;
    private float* _target;
    private int _count;
    private int _width;

    /// <summary>Copies rows to the front of a buffer.</summary>
    /// <param name="rows">Which.</param>
    /// <param name="source">[any, width].</param>
    /// <param name="target">[rows.Length, width].</param>
    /// <param name="width">Elements of a row.</param>
    public void Gather(ReadOnlySpan<int> rows, float* source, float* target, int width)
    {
        _isAdding = false;
        Run(rows, source, target, width);
    }

    /// <summary>Adds rows, times a weight each, to where they came from. No row occurs twice.</summary>
    /// <param name="rows">Where they came from.</param>
    /// <param name="weights">[rows.Length].</param>
    /// <param name="source">[rows.Length, width].</param>
    /// <param name="target">[any, width].</param>
    /// <param name="width">Elements of a row.</param>
    public void Add(ReadOnlySpan<int> rows, ReadOnlySpan<float> weights, float* source, float* target, int width)
    {
        _isAdding = true;
        weights.CopyTo(_weights);
        Run(rows, source, target, width);
    }

    void ITeamJob.Run(int chunk, int worker)
    {
        int last = Math.Min((chunk + 1) * RowsPerChunk, _count);
        for (int i = chunk * RowsPerChunk; i < last; i++)
        {
            if (!_isAdding)
            {
                new ReadOnlySpan<float>(_source + (long)_rows[i] * _width, _width).CopyTo(new Span<float>(_target + (long)i * _width, _width));
                continue;
            }
            float* source = _source + (long)i * _width, target = _target + (long)_rows[i] * _width;
            switch (path)
            {
                case KernelPath.Avx512:
                    Add<Lanes512>(source, _weights[i], target);
                    break;
                case KernelPath.Avx2:
                    Add<Lanes256>(source, _weights[i], target);
                    break;
                default:
                    Add<LanesPlain>(source, _weights[i], target);
                    break;
            }
        }
    }

    private void Run(ReadOnlySpan<int> rows, float* source, float* target, int width)
    {
        rows.CopyTo(_rows);
        _count = rows.Length;
        _source = source;
        _target = target;
        _width = width;
        team.Run(this, (rows.Length + RowsPerChunk - 1) / RowsPerChunk);
    }

    private void Add<TLanes>(float* source, float weight, float* target)
        where TLanes : struct, ILanes<TLanes>
    {
        int whole = _width & -16, rest = _width - whole;
        TLanes factor = TLanes.Broadcast(weight);
        for (int i = 0; i < whole; i += 16)
            TLanes.Store(TLanes.Fma(TLanes.Load(source + i), factor, TLanes.Load(target + i)), target + i);
        if (rest > 0)
        {
            TLanes sum = TLanes.Fma(LaneTail.Load<TLanes>(source + whole, rest), factor, LaneTail.Load<TLanes>(target + whole, rest));
            LaneTail.Store(sum, target + whole, rest);
        }
    }
}
