using KvTiers.Inference.Kernels;

namespace KvTiers.Inference.Model;

/// <summary>GPT-2: LayerNorm, learned positions, GELU.</summary>
internal sealed unsafe class Gpt2Model : TransformerModel
{
    private readonly Gpt2Weights _weights;
    private readonly LayerNorm _norm;

    /// <summary>Takes over <paramref name="weights"/> and <paramref name="team"/>.</summary>
    public Gpt2Model(ModelConfig config, Gpt2Weights weights, ThreadTeam team, KernelPath path, byte[] fingerprint, int rowTile)
        : base(config, team, path, fingerprint, rowTile)
    {
        _weights = weights;
        _norm = new LayerNorm(team, path);
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        base.Dispose();
        _weights.Dispose();
    }

    /// <inheritdoc/>
    protected override void ComputeLayers(Attention attention)
    {
        int rows = Rows.Count;
        float* residual = Residual.Floats, normed = Normed.Floats, qkv = Qkv.Floats, attended = Attended.Floats, inner = Inner.Floats;
        Embedding.Run(Rows, _weights.Embedding, _weights.Positions.Floats, residual);
        for (int i = 0; i < Config.Layers; i++)
        {
            Gpt2Weights.Layer layer = _weights.Layers[i];
            Normalise(layer.AttentionNorm, residual, normed, rows);
            MatMul.Run(layer.Qkv.Matrix, normed, rows, qkv, QkvColumns, layer.Qkv.Bias.Floats);
            attention.Run(Rows, i, Config.WindowOf(i), qkv, QkvColumns, attended);
            if (i == Config.Layers - 1 && (rows = KeepOutputRows()) == 0)
                return;
            MatMul.Run(
                layer.AttentionOutput.Matrix, attended, rows, residual, Config.Hidden, layer.AttentionOutput.Bias.Floats, MatMulResult.Add);

            Normalise(layer.FeedForwardNorm, residual, normed, rows);
            MatMul.Run(layer.Up.Matrix, normed, rows, inner, Config.Intermediate, layer.Up.Bias.Floats, MatMulResult.Gelu);
            MatMul.Run(layer.Down.Matrix, inner, rows, residual, Config.Hidden, layer.Down.Bias.Floats, MatMulResult.Add);
        }
    }

    /// <inheritdoc/>
    protected override void NormaliseOutput(float* rows, int count) => Normalise(_weights.FinalNorm, rows, rows, count);

    /// <inheritdoc/>
    protected override void ComputeLogits(float* rows, int count, float* logits) => MatMul.Run(_weights.Output, rows, count, logits, Config.Vocabulary);

    private void Normalise(Gpt2Weights.Norm norm, float* input, float* output, int rows) =>
        _norm.Run(input, norm.Weight.Floats, norm.Bias.Floats, Config.NormEpsilon, output, rows, Config.Hidden);
}
