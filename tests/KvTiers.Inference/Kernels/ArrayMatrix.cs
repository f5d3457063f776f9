using KvTiers.Inference.Kernels;

namespace KvTiers.Inference.Tests.Kernels;

/// <summary>A matrix in an array, [outputs, inputs].</summary>
internal sealed class ArrayMatrix(float[] values, int outputs, int inputs) : MatrixSource
{
    public override int Outputs => outputs;

    public override int Inputs => inputs;

    public override void Read(int output, Span<float> weights) => values.AsSpan(output * inputs, inputs).CopyTo(weights);
}
