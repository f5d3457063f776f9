using KvTiers.Inference.Kernels;

namespace KvTiers.Bench.Micro;

/// <summary>A matrix whose weights are small numbers; kernels take as long over any.</summary>
internal sealed class MatrixSourceOfOnes(int outputs, int inputs) : MatrixSource
{
    public override int Outputs => outputs;

    public override int Inputs => inputs;

    public override void Read(int output, Span<float> weights)
    {
        for (int k = 0; k < weights.Length; k++)
            weights[k] = (output + k) % 7 - 3;
    }
}
