namespace KvTiers.Inference.Model;

/// <summary>Some of the rows of a matrix, or elements of a vector: runs of neighbours at equal distances.</summary>
/// <param name="First">The first.</param>
/// <param name="Count">How many in all.</param>
/// <param name="Run">Neighbours of a run; <paramref name="Count"/> for one run.</param>
/// <param name="Stride">From the first of a run to the first of the next.</param>
internal readonly record struct RowRuns(int First, int Count, int Run, int Stride)
{
    /// <summary>One run.</summary>
    public RowRuns(int first, int count)
        : this(first, count, count, count)
    {
    }

    /// <summary>Where one of them is.</summary>
    public int this[int index] => First + index / Run * Stride + index % Run;
}
