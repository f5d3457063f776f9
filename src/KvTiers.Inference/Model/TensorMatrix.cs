using KvTiers.Inference.Kernels;

namespace KvTiers.Inference.Model;

/// <summary>A tensor, or some of its outputs, as a matrix to be packed.</summary>
/// <param name="tensor">[outputs, inputs], or [inputs, outputs] when transposed.</param>
/// <param name="transposed">The tensor is stored the way of GPT-2's one-dimensional convolutions.</param>
/// <param name="rows">Which outputs; null for all.</param>
internal sealed class TensorMatrix(SafetensorsTensor tensor, bool transposed = false, RowRuns? rows = null) : MatrixSource
{
    private readonly RowRuns _rows = rows ?? new RowRuns(0, (int)tensor.Shape[transposed ? 1 : 0]);

    /// <inheritdoc/>
    public override int Outputs => _rows.Count;

    /// <inheritdoc/>
    public override int Inputs => (int)tensor.Shape[transposed ? 0 : 1];

    /// <summary>The format that keeps every bit of the file, or nearly so (<see cref="SafetensorsTensor.Panels"/>).</summary>
    public PanelFormat StoredFormat => tensor.Panels;

    /// <inheritdoc/>
    public override void Read(int output, Span<float> weights)
    {
        if (transposed)
            tensor.Read(_rows[output], tensor.Shape[1], weights);
        else
            tensor.Read((long)_rows[output] * Inputs, 1, weights);
    }

    /// <inheritdoc/>
    public override bool TryRead(int output, PanelFormat format, GroupedWeights weights) => !transposed && tensor.TryRead(_rows[output], format, weights);
}
