using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace KvTiers.Inference.Kernels;

/// <summary>
/// Rows times a <see cref="PackedMatrix"/>. With weights of floats, output (r, n) is the chain of fused multiply-adds
/// input[r, k] · weight[n, k] over k = 0 … inputs − 1 with one accumulator that starts at 0. With weights of integers, each row is rounded to 16-bit
/// integers with a scale of its own, and the output is that scale times <see cref="TileInt8Plain.Multiply"/> or <see cref="TileInt4Plain.Multiply"/>. Then
/// comes the bias, then a factor, then the <see cref="MatMulResult"/>. That holds on every path and for every number of rows, so a row's outputs have the same
/// bits whatever comes with it.
/// </summary>
/// <remarks>
/// Rows are cut into tiles of 12 (fewer at the end). Floats are read where they are; integers are packed k-major. A chunk of work is a block of tiles times a panel:
/// the tiles stay in the second-level cache while panels stream past, each read from memory once per block of tiles, while the panel before is multiplied.
/// </remarks>
internal sealed unsafe partial class MatMul : ITeamJob, IDisposable
{
    private const int MostRows = 12;

    // The tiles of a block stay in the second-level cache beside a panel or two.
    private const int BlockBytes = 600 << 10;

    private readonly ThreadTeam _team;
    private readonly KernelPath _path;
    private readonly PackJob _pack;
    private NativeBuffer _packed = new(0);
    private NativeBuffer _scales = new(0);
    private NativeBuffer _sums = new(0);

    private PackedMatrix _matrix = null!; // Null before the first product.
    private float* _input;
    private int _rows;
    private float* _output;
    private int _outputStride;
    private int _outputColumns;
    private float* _bias;
    private MatMulResult _result;
    private float _factor;
    private int _blockCount;
    private int _blockTiles;

    public MatMul(ThreadTeam team, KernelPath path)
    {
        _team = team;
        _path = path;
        _pack = new PackJob(this);
    }

    /// <summary>Multiplies.</summary>
    /// <param name="matrix">The weights.</param>
    /// <param name="input">[rows, matrix.Inputs].</param>
    /// <param name="rows">Rows of input and output, at least 1.</param>
    /// <param name="output">[rows, outputColumns]. Does not overlap the input.</param>
    /// <param name="outputColumns">Elements of an output row: the matrix's outputs, or what of them is not padding.</param>
    /// <param name="bias">[panels · 32] in the order of the packed outputs, or null.</param>
    /// <param name="result">What becomes of the product.</param>
    /// <param name="factor">On every output, before it becomes that.</param>
    public void Run(
        PackedMatrix matrix, float* input, int rows, float* output, int outputColumns, float* bias = null, MatMulResult result = MatMulResult.Store,
        float factor = 1)
    {
        if (_matrix is { } last && last.Successor != matrix)
            last.Successor = matrix;
        _matrix = matrix;
        _input = input;
        _rows = rows;
        _output = output;
        _outputStride = _outputColumns = outputColumns;
        _bias = bias;
        _result = result;
        _factor = factor;

        int tiles = (rows + MostRows - 1) / MostRows;
        if (IsInteger)
        {
            Reserve(tiles * MostRows);
            _team.Run(_pack, tiles);
        }

        int tileBytes = MostRows * (IsInteger ? matrix.InputPairs : matrix.Inputs) * sizeof(float);
        int mostTiles = Math.Max(1, BlockBytes / tileBytes);
        _blockCount = (tiles + mostTiles - 1) / mostTiles;
        _blockTiles = (tiles + _blockCount - 1) / _blockCount;
        _team.Next = rows <= PackedMatrix.AheadRows ? matrix.Successor : null;
        _team.Run(this, _blockCount * matrix.PanelCount);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _packed.Dispose();
        _scales.Dispose();
        _sums.Dispose();
    }

    private bool IsInteger => _matrix.Format >= PanelFormat.Int8;

    [SkipLocalsInit]
    void ITeamJob.Run(int chunk, int worker)
    {
        (int block, int panel) = _blockCount == 1 ? (0, chunk) : Math.DivRem(chunk, _matrix.PanelCount);
        int firstRow = block * _blockTiles * MostRows;
        int lastRow = Math.Min(firstRow + _blockTiles * MostRows, _rows);
        float* products = stackalloc float[MostRows * PackedMatrix.PanelWidth + 16];
        products = (float*)(((nuint)products + 63) & ~(nuint)63);
        byte* weights = _matrix.Panel(panel);
        nint toNext = (nint)(_matrix.Panel((panel + 1) % _matrix.PanelCount) - weights);
        for (int row = firstRow; row < lastRow; row += MostRows)
        {
            int rows = Math.Min(MostRows, _rows - row);
            if (rows > PackedMatrix.AheadRows)
                BringOutput(panel, row, rows);
            nint ahead = rows <= PackedMatrix.AheadRows ? PackedMatrix.AheadBytes : row == firstRow ? toNext : 0;
            Multiply(weights, row, rows, products, ahead);
            int slots = KernelRows(rows), own = slots == rows || IsInteger ? rows : TileRows.FirstMoved(slots);
            Finish(products, panel, row, own);
            if (own < rows)
                Finish(products + TileRows.Slot(own, slots, rows) * PackedMatrix.PanelWidth, panel, row + own, rows - own);
        }
    }

    private void Finish(float* products, int panel, int firstRow, int rows)
    {
        switch (_path)
        {
            case KernelPath.Avx512:
                Finish<Lanes512>(products, panel, firstRow, rows);
                break;
            case KernelPath.Avx2:
                Finish<Lanes256>(products, panel, firstRow, rows);
                break;
            default:
                Finish<LanesPlain>(products, panel, firstRow, rows);
                break;
        }
    }

    // A tile's outputs lie far apart, a row each; they come while it is multiplied.
    private void BringOutput(int panel, int row, int rows)
    {
        if (!Sse.IsSupported)
            return;
        bool isHalf = IsPaired(_result);
        float* output = _output + (long)row * _outputStride + panel * (isHalf ? PackedMatrix.PanelWidth / 2 : PackedMatrix.PanelWidth);
        for (; rows > 0; rows--, output += _outputStride)
        {
            Sse.Prefetch0(output);
            if (!isHalf)
                Sse.Prefetch0(output + 16);
        }
    }

    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Finish<TLanes>(float* products, int panel, int firstRow, int rows)
        where TLanes : struct, ILanes<TLanes>
    {
        const int Width = PackedMatrix.PanelWidth;
        MatMulResult result = _result;
        bool isPaired = IsPaired(result), isScaled = _factor != 1;
        TLanes factor = TLanes.Broadcast(_factor);
        float* scales = IsInteger ? _scales.Floats + firstRow : null;
        bool hasBias = _bias != null;
        TLanes low = TLanes.Zero, high = TLanes.Zero;
        if (hasBias)
        {
            low = TLanes.Load(_bias + panel * Width);
            high = TLanes.Load(_bias + panel * Width + 16);
        }
        int column = isPaired ? panel * 16 : panel * Width;
        int columns = Math.Min(isPaired ? 16 : Width, _outputColumns - column);
        bool whole = columns == (isPaired ? 16 : Width);
        float* partial = stackalloc float[Width];
        float* output = _output + (long)firstRow * _outputStride + column;
        for (int row = 0; row < rows; row++, products += Width, output += _outputStride)
        {
            TLanes a = TLanes.Load(products), b = TLanes.Load(products + 16);
            if (scales != null)
            {
                TLanes scale = TLanes.Broadcast(scales[row]);
                a *= scale;
                b *= scale;
            }
            if (hasBias)
            {
                a += low;
                b += high;
            }
            if (isScaled)
            {
                a *= factor;
                b *= factor;
            }
            if (result == MatMulResult.Gelu)
            {
                a = Activation.Gelu(a);
                b = Activation.Gelu(b);
            }
            else if (result == MatMulResult.SwiGlu)
            {
                a = Activation.Silu(a) * b;
            }
            else if (result > MatMulResult.Gelu)
            {
                TLanes.Store(a, partial);
                TLanes.Store(b, partial + 16);
                Activate<TLanes>(result, partial);
                a = TLanes.Load(partial);
                b = TLanes.Load(partial + 16);
            }

            float* target = whole ? output : partial;
            if (result == MatMulResult.Add)
            {
                if (!whole)
                    Copy(output, partial, columns);
                a += TLanes.Load(target);
                b += TLanes.Load(target + 16);
            }
            TLanes.Store(a, target);
            if (!isPaired)
                TLanes.Store(b, target + 16);
            if (!whole)
                Copy(partial, output, columns);
        }
    }

    private static bool IsPaired(MatMulResult result) => result >= MatMulResult.SwiGlu;

    // The rarer functions of a row of a panel, in place.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Activate<TLanes>(MatMulResult result, float* row)
        where TLanes : struct, ILanes<TLanes>
    {
        TLanes a = TLanes.Load(row), b = TLanes.Load(row + 16);
        switch (result)
        {
            case MatMulResult.GeluErf:
                a = Activation.GeluErf(a);
                b = Activation.GeluErf(b);
                break;
            case MatMulResult.Silu:
                a = Activation.Silu(a);
                b = Activation.Silu(b);
                break;
            case MatMulResult.Relu2:
                a = Activation.Relu2(a);
                b = Activation.Relu2(b);
                break;
            case MatMulResult.GeGlu:
                a = Activation.Gelu(a) * b;
                break;
            case MatMulResult.GeGluErf:
                a = Activation.GeluErf(a) * b;
                break;
            default:
                a = Activation.Relu2(a) * b;
                break;
        }
        TLanes.Store(a, row);
        TLanes.Store(b, row + 16);
    }

    private static void Copy(float* source, float* destination, int count) =>
        new ReadOnlySpan<float>(source, count).CopyTo(new Span<float>(destination, count));
}
