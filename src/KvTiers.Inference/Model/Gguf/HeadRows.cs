namespace KvTiers.Inference.Model.Gguf;

/// <summary>
/// Where a file has the rows of queries or keys whose elements i and i + half turn together: side by side, as 2i and 2i + 1 of their head.
/// </summary>
/// <param name="headDim">Rows of a head, an even number.</param>
internal sealed class HeadRows(int headDim)
{
    /// <summary>The row of the file.</summary>
    /// <param name="row">The row as the engine counts them.</param>
    public long Stored(long row)
    {
        (long head, long element) = Math.DivRem(row, headDim);
        int half = headDim / 2;
        return head * headDim + (element < half ? 2 * element : 2 * (element - half) + 1);
    }
}
