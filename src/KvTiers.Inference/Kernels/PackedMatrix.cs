using System.Runtime.InteropServices;

namespace KvTiers.Inference.Kernels;

/// <summary>
/// A weight matrix in the one layout that prefill and decode read: panels of 32 outputs, each panel k-major, so that one input
/// element (two of 8-bit weights) meets 32 neighbouring weights. The last panel is filled up with zeros.
/// </summary>
internal sealed unsafe class PackedMatrix : IDisposable
{
    /// <summary>Outputs of a panel.</summary>
    public const int PanelWidth = 32;

    /// <summary>
    /// How far ahead the kernels of few rows ask for weights: what memory delivers to a thread while one line is on its way. It reaches into what the
    /// thread reads next, the panel that follows.
    /// </summary>
    public const int AheadBytes = 8192;

    /// <summary>
    /// Rows up to which a tile asks for weights so far ahead. A tile of more computes for longer than a panel takes to come: the first of a chunk of
    /// work asks for the next panel.
    /// </summary>
    public const int AheadRows = 8;

    /// <summary>Changes whenever the same weights would be packed into other bytes.</summary>
    public const int LayoutVersion = 1;

    private readonly NativeBuffer? _owned;
    private readonly byte* _panels;

    private PackedMatrix(PanelFormat format, int inputs, int outputs, byte* panels)
    {
        Format = format;
        Inputs = inputs;
        Outputs = outputs;
        PanelCount = PanelsOf(outputs);
        PanelBytes = SizeOfPanel(format, inputs);
        _owned = panels == null ? new NativeBuffer(PanelCount * PanelBytes, clear: false) : null;
        _panels = panels == null ? _owned!.Bytes : panels;
    }

    /// <summary>Element format.</summary>
    public PanelFormat Format { get; }

    /// <summary>Elements of an input row.</summary>
    public int Inputs { get; }

    /// <summary>Elements of an output row, padding excluded.</summary>
    public int Outputs { get; }

    /// <summary>Panels, the last one perhaps padded.</summary>
    public int PanelCount { get; }

    /// <summary>Bytes of a panel.</summary>
    public long PanelBytes { get; }

    /// <summary>Bytes of all panels.</summary>
    public long ByteCount => PanelCount * PanelBytes;

    /// <summary>Its weights have 4 bits.</summary>
    public bool HasSmallIntegers => Format is PanelFormat.Int4 or PanelFormat.Int4Affine;

    /// <summary>Pairs of inputs that kernels of integers read, those that fill up the last word included.</summary>
    public int InputPairs => HasSmallIntegers ? PanelInt4.Pairs(Inputs) : PanelInt8.Pairs(Inputs);

    /// <summary>The matrix that was multiplied after this one the last time, or null.</summary>
    public PackedMatrix? Successor { get; set; }

    /// <summary>Bytes that a matrix takes.</summary>
    public static long SizeOf(PanelFormat format, int inputs, int outputs) => PanelsOf(outputs) * SizeOfPanel(format, inputs);

    /// <summary>Outputs of two matrices of so many outputs each, packed in pairs.</summary>
    public static int PairedOutputs(int outputs) => (outputs + 15) / 16 * PanelWidth;

    /// <summary>A matrix that was packed before, in memory that the caller keeps: <see cref="SizeOf"/> bytes, 64-byte aligned.</summary>
    public static PackedMatrix Over(PanelFormat format, int inputs, int outputs, byte* panels) => new(format, inputs, outputs, panels);

    /// <summary>Packs matrices one below the other: outputs of the first, then of the second, and so on.</summary>
    /// <exception cref="ArgumentException">The sources' inputs differ.</exception>
    public static PackedMatrix Pack(ThreadTeam team, PanelFormat format, params ReadOnlySpan<MatrixSource> sources) =>
        Pack(team, format, null, sources.ToArray());

    /// <summary>The same in memory of <paramref name="arena"/>.</summary>
    /// <exception cref="ArgumentException">The sources' inputs differ.</exception>
    public static PackedMatrix Pack(ThreadTeam team, PanelFormat format, WeightArena? arena, MatrixSource[] sources) =>
        Pack(team, format, arena, sources, sources.Sum(source => source.Outputs), paired: false);

    /// <summary>Packs two matrices side by side: panel p holds outputs 16p to 16p + 15 of the first, then the same of the second.</summary>
    /// <exception cref="ArgumentException">The sources' shapes differ.</exception>
    public static PackedMatrix PackPaired(ThreadTeam team, PanelFormat format, MatrixSource first, MatrixSource second, WeightArena? arena = null)
    {
        if (first.Outputs != second.Outputs)
            throw new ArgumentException("The shapes of paired matrices differ.", nameof(second));
        return Pack(team, format, arena, [first, second], PairedOutputs(first.Outputs), paired: true);
    }

    /// <summary>The first byte of a panel.</summary>
    public byte* Panel(int panel) => _panels + panel * PanelBytes;

    /// <summary>Reads the weights of one output back: a row of the matrix that was packed, as far as the format keeps it.</summary>
    /// <param name="output">0 to Outputs − 1.</param>
    /// <param name="weights">[Inputs].</param>
    public void Read(int output, float* weights)
    {
        byte* row = Panel(output / PanelWidth);
        int column = output % PanelWidth;
        switch (Format)
        {
            case PanelFormat.F32:
                for (int k = 0; k < Inputs; k++, row += PanelWeightsF32.RowBytes)
                    weights[k] = PanelWeightsF32.Load(row, column);
                break;
            case PanelFormat.BF16:
                for (int k = 0; k < Inputs; k++, row += PanelWeightsBF16.RowBytes)
                    weights[k] = PanelWeightsBF16.Load(row, column);
                break;
            case PanelFormat.Int8:
                for (int k = 0; k < Inputs; k++)
                    weights[k] = PanelInt8.Load<PanelScalesBF16>(row, column, k);
                break;
            case PanelFormat.Int8By32:
                for (int k = 0; k < Inputs; k++)
                    weights[k] = PanelInt8.Load<PanelScalesF16>(row, column, k);
                break;
            case PanelFormat.Int4:
                for (int k = 0; k < Inputs; k++)
                    weights[k] = PanelInt4.Load<Int4Symmetric>(row, column, k);
                break;
            default:
                for (int k = 0; k < Inputs; k++)
                    weights[k] = PanelInt4.Load<Int4Affine>(row, column, k);
                break;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _owned?.Dispose();

    private static int PanelsOf(int outputs) => (outputs + PanelWidth - 1) / PanelWidth;

    private static long SizeOfPanel(PanelFormat format, int inputs) => format switch
    {
        PanelFormat.F32 => (long)inputs * PanelWeightsF32.RowBytes,
        PanelFormat.BF16 => (long)inputs * PanelWeightsBF16.RowBytes,
        PanelFormat.Int8 => PanelInt8.Bytes<PanelScalesBF16>(inputs),
        PanelFormat.Int8By32 => PanelInt8.Bytes<PanelScalesF16>(inputs),
        PanelFormat.Int4 => PanelInt4.Bytes<Int4Symmetric>(inputs),
        _ => PanelInt4.Bytes<Int4Affine>(inputs),
    };

    private static PackedMatrix Pack(
        ThreadTeam team, PanelFormat format, WeightArena? arena, MatrixSource[] sources, int outputs, bool paired)
    {
        foreach (MatrixSource source in sources)
        {
            if (source.Inputs != sources[0].Inputs)
                throw new ArgumentException("The inputs of matrices that are packed together differ.", nameof(sources));
        }
        byte* panels = arena == null ? null : arena.Take(SizeOf(format, sources[0].Inputs, outputs));
        PackedMatrix matrix = new(format, sources[0].Inputs, outputs, panels);
        team.Run(new PackJob(matrix, sources, paired), matrix.PanelCount);
        return matrix;
    }

    private sealed class PackJob(PackedMatrix matrix, MatrixSource[] sources, bool paired) : ITeamJob
    {
        public void Run(int panel, int worker)
        {
            float[] weights = new float[matrix.Inputs];
            GroupedWeights? grouped = matrix.Format >= PanelFormat.Int8By32 ? new GroupedWeights(matrix.Inputs) : null;
            byte* start = matrix.Panel(panel);
            NativeMemory.Clear(start, (nuint)matrix.PanelBytes);
            for (int column = 0; column < PanelWidth; column++)
            {
                if (Find(panel, column) is not (MatrixSource source, int output))
                    continue;
                if (grouped != null && source.TryRead(output, matrix.Format, grouped))
                {
                    Write(start, column, grouped);
                    continue;
                }
                source.Read(output, weights);
                Write(start, column, weights);
            }
        }

        private void Write(byte* panel, int column, float[] weights)
        {
            switch (matrix.Format)
            {
                case PanelFormat.F32:
                    float* word = (float*)panel + column;
                    for (int k = 0; k < weights.Length; k++, word += PanelWidth)
                        *word = weights[k];
                    break;
                case PanelFormat.BF16:
                    ushort* half = (ushort*)panel + column % 16 * 2 + column / 16;
                    for (int k = 0; k < weights.Length; k++, half += PanelWidth)
                        *half = BFloat16.Round(weights[k]);
                    break;
                case PanelFormat.Int8:
                    PanelInt8.Write<PanelScalesBF16>(panel, column, weights);
                    break;
                case PanelFormat.Int8By32:
                    PanelInt8.Write<PanelScalesF16>(panel, column, weights);
                    break;
                case PanelFormat.Int4:
                    PanelInt4.Write<Int4Symmetric>(panel, column, weights);
                    break;
                default:
                    PanelInt4.Write<Int4Affine>(panel, column, weights);
                    break;
            }
        }

        private void Write(byte* panel, int column, GroupedWeights weights)
        {
            if (matrix.Format == PanelFormat.Int8By32)
                PanelInt8.Write<PanelScalesF16>(panel, column, weights);
            else if (matrix.Format == PanelFormat.Int4)
                PanelInt4.Write<Int4Symmetric>(panel, column, weights);
            else
                PanelInt4.Write<Int4Affine>(panel, column, weights);
        }

        // Whose output a column holds; null for one that only fills the panel up.
        private (MatrixSource Source, int Output)? Find(int panel, int column)
        {
            int output = paired ? panel * 16 + column % 16 : panel * PanelWidth + column;
            if (paired)
                return output < sources[0].Outputs ? (sources[column / 16], output) : null;
            foreach (MatrixSource source in sources)
            {
                if (output < source.Outputs)
                    return (source, output);
                output -= source.Outputs;
            }
            return null;
        }
    }
}
