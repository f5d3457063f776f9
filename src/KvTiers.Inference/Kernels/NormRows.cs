namespace KvTiers.Inference.Kernels;

/// <summary>Vectors of one length to be normalised, one or several in a row: a row's whole width, or each of its heads.</summary>
internal readonly unsafe struct NormRows
{
    /// <summary>[rows, InputStride], of which the first Groups · Length elements of each row are read.</summary>
    public required float* Input { get; init; }

    /// <summary>Elements from row to row of the input.</summary>
    public required int InputStride { get; init; }

    /// <summary>[Length], or [Groups, Length] where each vector of a row has weights of its own.</summary>
    public required float* Weight { get; init; }

    /// <summary>Elements from one vector's weights to the next one's: 0 where all share them, else Length.</summary>
    public int WeightStride { get; init; }

    /// <summary>[Length], or null for none. LayerNorm's.</summary>
    public float* Bias { get; init; }

    /// <summary>The term under the root.</summary>
    public required float Epsilon { get; init; }

    /// <summary>[rows, OutputStride]. May be the input.</summary>
    public required float* Output { get; init; }

    /// <summary>Elements from row to row of the output.</summary>
    public required int OutputStride { get; init; }

    /// <summary>Rows.</summary>
    public required int Rows { get; init; }

    /// <summary>Vectors of a row.</summary>
    public int Groups { get; init; } = 1;

    /// <summary>Elements of a vector.</summary>
    public required int Length { get; init; }

    /// <summary>The result is added to what the output holds: a residual stream.</summary>
    public bool IsAdded { get; init; }

    public NormRows()
    {
    }
}
