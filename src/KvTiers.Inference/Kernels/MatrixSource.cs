namespace KvTiers.Inference.Kernels;

/// <summary>A matrix as a file stores it, to be packed: reads the weights of one output as floats.</summary>
internal abstract class MatrixSource
{
    /// <summary>Rows of the result of a product with this matrix.</summary>
    public abstract int Outputs { get; }

    /// <summary>Elements of the vectors it is multiplied with.</summary>
    public abstract int Inputs { get; }

    /// <summary>Reads the weights of one output.</summary>
    /// <param name="output">0 to Outputs − 1.</param>
    /// <param name="weights">[Inputs].</param>
    public abstract void Read(int output, Span<float> weights);

    /// <summary>Reads the weights of one output as they are stored, where panels of this format hold them so.</summary>
    /// <param name="output">0 to Outputs − 1.</param>
    /// <param name="format">A format with groups of 32 inputs.</param>
    /// <param name="weights">Of <see cref="Inputs"/>; undefined unless they were read.</param>
    /// <returns>False where they are stored in another way; the caller rounds what <see cref="Read"/> gives.</returns>
    public virtual bool TryRead(int output, PanelFormat format, GroupedWeights weights) => false;
}
