using System.Runtime.CompilerServices;

namespace KvTiers.Inference.Kernels;

/// <summary>
/// Rows times a <see cref="PackedMatrix"/>. Output (r, n) is the chain of fused multiply-adds input[r, k] · weight[n, k] over
/// k = 0 … inputs − 1 with one accumulator that starts at 0, then the bias, then the <see cref="MatMulResult"/>. That holds on every
/// path and for every number of rows, so a row's outputs have the same bits whatever comes with it.
/// </summary>
/// <remarks>
/// Rows are cut into tiles of 12 (fewer at the end), packed k-major. A chunk of work is a block of tiles times a run of panels:
/// the tiles stay in the second-level cache while panels stream past, and each panel is read once per block of tiles.
/// </remarks>
internal sealed unsafe class MatMul : ITeamJob, IDisposable
{
    private const int TileRows = 12;
    private const int BlockTiles = 16;
    private const int ChunkBytes = 96 << 10;
    private readonly ThreadTeam _team;
    private readonly KernelPath _path;
    private readonly PackJob _pack;
    private NativeBuffer _packed = new(0);

    private PackedMatrix _matrix = null!;
    private float* _input;
    private int _rows;
    private float* _output;
    private int _outputStride;
    private int _outputColumns;
    private float* _bias;
    private MatMulResult _result;
    private int _blockCount;
    private int _panelsPerChunk;

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
    public void Run(
        PackedMatrix matrix, float* input, int rows, float* output, int outputColumns, float* bias = null, MatMulResult result = MatMulResult.Store)
    {
        _matrix = matrix;
        _input = input;
        _rows = rows;
        _output = output;
        _outputStride = _outputColumns = outputColumns;
        _bias = bias;
        _result = result;

        int tiles = (rows + TileRows - 1) / TileRows;
        if (rows > 1)
        {
            long bytes = (long)tiles * TileRows * matrix.Inputs * sizeof(float);
            if (_packed.ByteCount < bytes)
            {
                _packed.Dispose();
                _packed = new NativeBuffer(bytes);
            }
            _team.Run(_pack, tiles);
        }

        _blockCount = (tiles + BlockTiles - 1) / BlockTiles;
        long panelBytes = (long)matrix.Inputs * matrix.RowBytes;
        _panelsPerChunk = rows > TileRows ? 1 : (int)Math.Clamp(ChunkBytes / panelBytes, 1, 64);
        _team.Run(this, _blockCount * ((matrix.PanelCount + _panelsPerChunk - 1) / _panelsPerChunk));
    }

    /// <inheritdoc/>
    public void Dispose() => _packed.Dispose();

    [SkipLocalsInit]
    void ITeamJob.Run(int chunk, int worker)
    {
        int runs = (_matrix.PanelCount + _panelsPerChunk - 1) / _panelsPerChunk;
        int block = chunk / runs;
        int firstPanel = chunk % runs * _panelsPerChunk;
        int lastPanel = Math.Min(firstPanel + _panelsPerChunk, _matrix.PanelCount);
        int firstRow = block * BlockTiles * TileRows;
        int lastRow = Math.Min(firstRow + BlockTiles * TileRows, _rows);
        float* products = stackalloc float[TileRows * PackedMatrix.PanelWidth + 16];
        products = (float*)(((nuint)products + 63) & ~(nuint)63);
        for (int panel = firstPanel; panel < lastPanel; panel++)
        {
            byte* weights = _matrix.Panel(panel);
            for (int row = firstRow; row < lastRow; row += TileRows)
            {
                int rows = Math.Min(TileRows, _rows - row);
                float* input = _rows == 1 ? _input : _packed.Floats + (long)row * _matrix.Inputs;
                if (_matrix.Format == PanelFormat.F32)
                    Multiply<PanelWeightsF32>(weights, input, KernelRows(rows), products);
                else
                    Multiply<PanelWeightsBF16>(weights, input, KernelRows(rows), products);
                switch (_path)
                {
                    case KernelPath.Avx512:
                        Finish<Lanes512>(products, panel, row, rows);
                        break;
                    case KernelPath.Avx2:
                        Finish<Lanes256>(products, panel, row, rows);
                        break;
                    default:
                        Finish<LanesPlain>(products, panel, row, rows);
                        break;
                }
            }
        }
    }

    // Rows that the kernel for so many rows computes; rows beyond those that are wanted are zeros.
    private static int KernelRows(int rows) => rows switch
    {
        <= 4 => rows,
        <= 6 => 6,
        <= 8 => 8,
        _ => TileRows,
    };

    private void Multiply<TWeights>(byte* panel, float* input, int rows, float* products)
        where TWeights : struct, IPanelWeights
    {
        int inputs = _matrix.Inputs;
        switch (_path)
        {
            case KernelPath.Avx512:
                switch (rows)
                {
                    case 1:
                        Tile512.Multiply<TWeights, Rows1>(panel, input, inputs, products);
                        break;
                    case 2:
                        Tile512.Multiply<TWeights, Rows2>(panel, input, inputs, products);
                        break;
                    case 3:
                        Tile512.Multiply<TWeights, Rows3>(panel, input, inputs, products);
                        break;
                    case 4:
                        Tile512.Multiply<TWeights, Rows4>(panel, input, inputs, products);
                        break;
                    case 6:
                        Tile512.Multiply<TWeights, Rows6>(panel, input, inputs, products);
                        break;
                    case 8:
                        Tile512.Multiply<TWeights, Rows8>(panel, input, inputs, products);
                        break;
                    default:
                        Tile512.Multiply<TWeights, Rows12>(panel, input, inputs, products);
                        break;
                }
                break;
            case KernelPath.Avx2:
                for (int first = 0; first <= 8; first += 8)
                {
                    switch (rows)
                    {
                        case 1:
                            Tile256.Multiply<TWeights, Rows1>(panel, first, input, rows, inputs, products);
                            break;
                        case 2:
                            Tile256.Multiply<TWeights, Rows2>(panel, first, input, rows, inputs, products);
                            break;
                        case 3:
                            Tile256.Multiply<TWeights, Rows3>(panel, first, input, rows, inputs, products);
                            break;
                        case 4:
                            Tile256.Multiply<TWeights, Rows4>(panel, first, input, rows, inputs, products);
                            break;
                        case 8:
                            Tile256.Multiply<TWeights, Rows4>(panel, first, input, rows, inputs, products);
                            Tile256.Multiply<TWeights, Rows4>(panel, first, input + 4, rows, inputs, products + 4 * PackedMatrix.PanelWidth);
                            break;
                        default:
                            for (int row = 0; row < rows; row += 6)
                                Tile256.Multiply<TWeights, Rows6>(panel, first, input + row, rows, inputs, products + row * PackedMatrix.PanelWidth);
                            break;
                    }
                }
                break;
            default:
                TilePlain.Multiply<TWeights>(panel, input, rows, inputs, products);
                break;
        }
    }

    [SkipLocalsInit]
    private void Finish<TLanes>(float* products, int panel, int firstRow, int rows)
        where TLanes : struct, ILanes<TLanes>
    {
        const int Width = PackedMatrix.PanelWidth;
        TLanes low = TLanes.Zero, high = TLanes.Zero;
        if (_bias != null)
        {
            low = TLanes.Load(_bias + panel * Width);
            high = TLanes.Load(_bias + panel * Width + 16);
        }
        int column = _result == MatMulResult.SwiGlu ? panel * 16 : panel * Width;
        int columns = Math.Min(_result == MatMulResult.SwiGlu ? 16 : Width, _outputColumns - column);
        float* partial = stackalloc float[Width];
        for (int row = 0; row < rows; row++, products += Width)
        {
            TLanes a = TLanes.Load(products), b = TLanes.Load(products + 16);
            if (_bias != null)
            {
                a += low;
                b += high;
            }
            if (_result == MatMulResult.Gelu)
            {
                a = Activation.Gelu(a);
                b = Activation.Gelu(b);
            }
            else if (_result == MatMulResult.SwiGlu)
            {
                a = Activation.Silu(a) * b;
            }

            float* output = _output + (long)(firstRow + row) * _outputStride + column;
            bool whole = columns == Width || (columns == 16 && _result == MatMulResult.SwiGlu);
            float* target = whole ? output : partial;
            if (_result == MatMulResult.Add)
            {
                if (!whole)
                    Copy(output, partial, columns);
                a += TLanes.Load(target);
                b += TLanes.Load(target + 16);
            }
            TLanes.Store(a, target);
            if (_result != MatMulResult.SwiGlu)
                TLanes.Store(b, target + 16);
            if (!whole)
                Copy(partial, output, columns);
        }
    }

    private static void Copy(float* source, float* destination, int count) =>
        new ReadOnlySpan<float>(source, count).CopyTo(new Span<float>(destination, count));

    /// <summary>Brings one tile of input rows into the order that kernels read: [inputs, rows of the kernel].</summary>
    private sealed class PackJob(MatMul owner) : ITeamJob
    {
        public void Run(int tile, int worker)
        {
            int inputs = owner._matrix.Inputs;
            int rows = Math.Min(TileRows, owner._rows - tile * TileRows);
            int stride = KernelRows(rows);
            float* target = owner._packed.Floats + (long)tile * TileRows * inputs;
            for (int row = 0; row < stride; row++)
                Spread(row < rows ? owner._input + (long)(tile * TileRows + row) * inputs : null, inputs, target + row, stride);
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static void Spread(float* source, int count, float* target, int stride)
        {
            for (int k = 0; k < count; k++, target += stride)
                *target = source != null ? source[k] : 0;
        }
    }
}
