namespace KvTiers.Inference.Kernels;

/// <summary>The kernels of one kind of integer panels. All three yield the same bits; rows are the packed ones of <see cref="MatMul"/>.</summary>
internal unsafe interface IIntegerTiles
{
    /// <summary>Rows times a panel.</summary>
    static abstract void Multiply512<TRows>(byte* panel, int* input, int* sums, int inputs, float* output, nint ahead)
        where TRows : struct, IRows;

    /// <summary>Some of a tile's rows times half a panel: columns 0–15 or 16–31.</summary>
    static abstract void Multiply256<TRows>(byte* panel, int first, int* input, int* sums, int stride, int inputs, float* output, nint ahead)
        where TRows : struct, IRows;

    /// <summary>Rows times a panel, element by element.</summary>
    static abstract void MultiplyPlain(byte* panel, int* input, int* sums, int rows, int inputs, float* output);
}
