using KvTiers.Inference.Kernels;

namespace KvTiers.Inference.Model;

/// <summary>Llama, Mistral, Qwen2: RMSNorm, rotary positions, grouped queries, SwiGLU.</summary>
internal sealed unsafe class LlamaModel : TransformerModel
{
    private readonly LlamaWeights _weights;
    private readonly RmsNorm _norm;
    private readonly Rope _rope;

    /// <summary>Takes over <paramref name="weights"/> and <paramref name="team"/>.</summary>
    public LlamaModel(ModelConfig config, LlamaWeights weights, ThreadTeam team, KernelPath path, byte[] fingerprint, int rowTile)
        : base(config, team, path, fingerprint, rowTile)
    {
        _weights = weights;
        _norm = new RmsNorm(team, path);
        _rope = new Rope(team, path, RopeFrequencies.Of(config), rowTile);
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        base.Dispose();
        _rope.Dispose();
        _weights.Dispose();
    }

    /// <inheritdoc/>
    protected override void ComputeLayers(Attention attention)
    {
        int rows = Rows.Count;
        float* residual = Residual.Floats, normed = Normed.Floats, qkv = Qkv.Floats, attended = Attended.Floats, inner = Inner.Floats;
        Embedding.Run(Rows, _weights.Embedding, null, residual);
        _rope.SetPositions(Rows.Positions, rows);
        for (int i = 0; i < Config.Layers; i++)
        {
            LlamaWeights.Layer layer = _weights.Layers[i];
            _norm.Run(residual, layer.AttentionNorm.Floats, Config.NormEpsilon, normed, rows, Config.Hidden);
            MatMul.Run(layer.Qkv, normed, rows, qkv, QkvColumns, Floats(layer.QkvBias));
            _rope.Run(qkv, QkvColumns, Config.Heads + Config.KvHeads);
            attention.Run(Rows, i, Config.WindowOf(i), qkv, QkvColumns, attended);
            if (i == Config.Layers - 1 && (rows = KeepOutputRows()) == 0)
                return;
            MatMul.Run(layer.AttentionOutput, attended, rows, residual, Config.Hidden, Floats(layer.AttentionOutputBias), MatMulResult.Add);

            _norm.Run(residual, layer.FeedForwardNorm.Floats, Config.NormEpsilon, normed, rows, Config.Hidden);
            MatMul.Run(layer.GateUp, normed, rows, inner, Config.Intermediate, Floats(layer.GateUpBias), MatMulResult.SwiGlu);
            MatMul.Run(layer.Down, inner, rows, residual, Config.Hidden, Floats(layer.DownBias), MatMulResult.Add);
        }
    }

    /// <inheritdoc/>
    protected override void NormaliseOutput(float* rows, int count) =>
        _norm.Run(rows, _weights.FinalNorm.Floats, Config.NormEpsilon, rows, count, Config.Hidden);

    /// <inheritdoc/>
    protected override void ComputeLogits(float* rows, int count, float* logits) => MatMul.Run(_weights.Output, rows, count, logits, Config.Vocabulary);

    private static float* Floats(NativeBuffer? bias) => bias is null ? null : bias.Floats;
}
