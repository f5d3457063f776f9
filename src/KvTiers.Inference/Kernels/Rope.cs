using System.Runtime.CompilerServices;

namespace KvTiers.Inference.Kernels;

/// <summary>
/// Rotary positions: in every head, elements i and i + frequencies of its first 2 · frequencies elements turn by position · frequency[i]; the
/// others stay. The angle is rounded to 32 bits before its sine and cosine are taken, as the reference implementations do.
/// </summary>
internal sealed unsafe class Rope : ITeamJob, IDisposable
{
    private const int RowsPerChunk = 8;
    private readonly ThreadTeam _team;
    private readonly KernelPath _path;
    private readonly float[] _frequencies;
    private readonly int _headDim;
    private readonly float _scale;
    private readonly NativeBuffer _turns;
    private readonly AngleJob _angles;
    private int[] _positions = [];
    private int _rows;
    private float* _values;
    private int _stride;
    private int _heads;

    /// <summary>Creates the op.</summary>
    /// <param name="team">The threads.</param>
    /// <param name="path">The instruction set.</param>
    /// <param name="frequencies">Radians per position, one for each pair of elements that is turned.</param>
    /// <param name="mostRows">Rows of one step at most.</param>
    /// <param name="headDim">Elements of a head, at least 2 · frequencies; null for just those.</param>
    /// <param name="scale">Factor on what is turned: on every sine and cosine.</param>
    public Rope(ThreadTeam team, KernelPath path, float[] frequencies, int mostRows, int? headDim = null, float scale = 1)
    {
        _team = team;
        _path = path;
        _frequencies = frequencies;
        _headDim = headDim ?? 2 * frequencies.Length;
        _scale = scale;
        _turns = new NativeBuffer((long)mostRows * frequencies.Length * 2 * sizeof(float));
        _angles = new AngleJob(this);
    }

    /// <summary>Computes the turns of a step's rows, for all of its layers.</summary>
    /// <param name="positions">At least <paramref name="rows"/> positions; kept until the next call.</param>
    /// <param name="rows">Rows.</param>
    public void SetPositions(int[] positions, int rows)
    {
        _positions = positions;
        _rows = rows;
        _team.Run(_angles, (rows + RowsPerChunk - 1) / RowsPerChunk);
    }

    /// <summary>Turns the first heads of every row in place.</summary>
    /// <param name="values">[rows, stride], of which the first heads · headDim elements are heads.</param>
    /// <param name="stride">Elements from row to row.</param>
    /// <param name="heads">Heads to turn.</param>
    public void Run(float* values, int stride, int heads)
    {
        _values = values;
        _stride = stride;
        _heads = heads;
        _team.Run(this, (_rows + RowsPerChunk - 1) / RowsPerChunk);
    }

    /// <inheritdoc/>
    public void Dispose() => _turns.Dispose();

    void ITeamJob.Run(int chunk, int worker)
    {
        int last = Math.Min((chunk + 1) * RowsPerChunk, _rows);
        for (int row = chunk * RowsPerChunk; row < last; row++)
        {
            switch (_path)
            {
                case KernelPath.Avx512:
                    Turn<Lanes512>(row);
                    break;
                case KernelPath.Avx2:
                    Turn<Lanes256>(row);
                    break;
                default:
                    Turn<LanesPlain>(row);
                    break;
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Turn<TLanes>(int row)
        where TLanes : struct, ILanes<TLanes>
    {
        int half = _frequencies.Length;
        float* cosines = _turns.Floats + (long)row * half * 2, sines = cosines + half;
        float* first = _values + (long)row * _stride;
        for (int head = 0; head < _heads; head++, first += _headDim)
        {
            float* second = first + half;
            int i = 0;
            for (; i + 16 <= half; i += 16)
            {
                TLanes x = TLanes.Load(first + i), y = TLanes.Load(second + i);
                TLanes cosine = TLanes.Load(cosines + i), sine = TLanes.Load(sines + i);
                TLanes.Store((x * cosine) - (y * sine), first + i);
                TLanes.Store((y * cosine) + (x * sine), second + i);
            }
            for (; i < half; i++)
            {
                float x = first[i], y = second[i];
                first[i] = (x * cosines[i]) - (y * sines[i]);
                second[i] = (y * cosines[i]) + (x * sines[i]);
            }
        }
    }

    private sealed class AngleJob(Rope owner) : ITeamJob
    {
        public void Run(int chunk, int worker)
        {
            int half = owner._frequencies.Length;
            int last = Math.Min((chunk + 1) * RowsPerChunk, owner._rows);
            for (int row = chunk * RowsPerChunk; row < last; row++)
            {
                float* cosines = owner._turns.Floats + (long)row * half * 2;
                for (int i = 0; i < half; i++)
                {
                    float angle = owner._positions[row] * owner._frequencies[i];
                    (double sine, double cosine) = Math.SinCos(angle);
                    cosines[i] = (float)cosine * owner._scale;
                    cosines[half + i] = (float)sine * owner._scale;
                }
            }
        }
    }
}
