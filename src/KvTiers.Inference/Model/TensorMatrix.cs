using KvTiers.Inference.Kernels;

namespace KvTiers.Inference.Model;

/// <summary>A tensor as a matrix to be packed.</summary>
/// <param name="tensor">[outputs, inputs], or [inputs, outputs] when transposed.</param>
/// <param name="transposed">The tensor is stored the way of GPT-2's one-dimensional convolutions.</param>
internal sealed class TensorMatrix(SafetensorsTensor tensor, bool transposed = false) : MatrixSource
{
    /// <inheritdoc/>
    public override int Outputs => (int)tensor.Shape[transposed ? 1 : 0];

    /// <inheritdoc/>
    public override int Inputs => (int)tensor.Shape[transposed ? 0 : 1];

    /// <summary>The format that keeps every bit of the file.</summary>
    public PanelFormat StoredFormat => tensor.ElementType == "BF16" ? PanelFormat.BF16 : PanelFormat.F32;

    /// <inheritdoc/>
    public override void Read(int output, Span<float> weights)
    {
        if (transposed)
            tensor.Read(output, Outputs, weights);
        else
            tensor.Read((long)output * Inputs, 1, weights);
    }
}
