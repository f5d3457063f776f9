using KvTiers.Inference.Kernels;

namespace KvTiers.Inference.Model;

/// <summary>
/// Runs what a <see cref="ModelConfig"/> describes. A step is checked, then goes through the layers in tiles of rows, so that scratch memory is bounded.
/// A tile's K and V are complete before the next tile begins, so rows of one sequence may span tiles.
/// </summary>
internal sealed unsafe partial class DecoderModel : LanguageModel
{
    private readonly DecoderWeights _weights;
    private readonly ThreadTeam _team;
    private readonly KernelPath _path;
    private readonly int _rowTile;
    private readonly StepRows _rows;
    private readonly MatMul _matMul;
    private readonly EmbeddingLookup _embedding;
    private readonly RmsNorm _rmsNorm;
    private readonly LayerNorm _layerNorm;
    private readonly LogitCap? _logitCap;
    private readonly ExpertMixture? _mixture;
    private readonly KvAttention?[] _attention = new KvAttention?[2];
    private readonly MatMulResult _activate;
    private readonly int _qkvColumns;
    private readonly NativeBuffer _residual; // [rows, hidden]: what the layers add to
    private readonly NativeBuffer _normed; // [rows, hidden]
    private readonly NativeBuffer _qkv; // [rows, (heads + 2 · kvHeads) · headDim]
    private readonly NativeBuffer _attended; // [rows, heads · headDim]
    private readonly NativeBuffer _inner; // [rows, intermediate]

    // Layers that turn by the same frequencies share them. Per layer, or null where nothing turns.
    private readonly Rope[] _ropes;
    private readonly Rope?[] _ropeOf;
    private int _busy;

    /// <summary>Takes over <paramref name="weights"/> and <paramref name="team"/>.</summary>
    public DecoderModel(ModelConfig config, DecoderWeights weights, ThreadTeam team, KernelPath path, byte[] fingerprint, int rowTile)
    {
        Config = config;
        Fingerprint = fingerprint;
        _weights = weights;
        _team = team;
        _path = path;
        _rowTile = rowTile;
        _rows = new StepRows(rowTile, PagedAttention.RowsPerTile(config.Heads / config.KvHeads));
        _matMul = new MatMul(team, path);
        _embedding = new EmbeddingLookup(team);
        _rmsNorm = new RmsNorm(team, path);
        _layerNorm = new LayerNorm(team, path);
        _logitCap = config.LogitCap is float cap ? new LogitCap(team, path, cap) : null;
        _activate = ActivationOf(config);
        _qkvColumns = (config.Heads + 2 * config.KvHeads) * config.HeadDim;
        _residual = Scratch(config.Hidden);
        _normed = Scratch(config.Hidden);
        _qkv = Scratch(_qkvColumns);
        _attended = Scratch(config.Heads * config.HeadDim);
        _inner = Scratch(Math.Max(config.Intermediate, config.Experts?.Intermediate ?? 0));
        _mixture = config.Experts is { } experts ? new ExpertMixture(experts, config.Hidden, team, path, _matMul, rowTile) : null;
        Dictionary<RotaryConfig, Rope> ropes = [];
        _ropeOf = new Rope?[config.Layers];
        for (int i = 0; i < config.Layers; i++)
        {
            if (config.LayerConfigs[i].Rotary is not { } rotary)
                continue;
            if (!ropes.TryGetValue(rotary, out Rope? rope))
            {
                rope = new Rope(team, path, RopeFrequencies.Of(rotary), rowTile, config.HeadDim, (float)(rotary.Scaling?.AttentionFactor ?? 1));
                ropes.Add(rotary, rope);
            }
            _ropeOf[i] = rope;
        }
        _ropes = [.. ropes.Values];
    }

    /// <inheritdoc/>
    public override ModelConfig Config { get; }

    /// <inheritdoc/>
    public override ReadOnlyMemory<byte> Fingerprint { get; }

    /// <inheritdoc/>
    public override bool HasHiddenStates => true;

    /// <summary>Where the matrices are, given back with the model.</summary>
    internal WeightArena? WeightMemory { get; set; }

    /// <inheritdoc/>
    public override void Forward(StepBatch batch)
    {
        Check(batch);
        if (Interlocked.Exchange(ref _busy, 1) != 0)
            throw new InvalidOperationException("A forward pass is running: one call at a time.");
        try
        {
            batch.ReserveLogits();
            KvAttention attention = _attention[(int)batch.Layout.Format] ??= new KvAttention(_team, _path, batch.Layout, Config);
            for (int first = 0; first < batch.RowCount; first += _rowTile)
            {
                _rows.Set(batch.TokenIds, batch.Segments, first, Math.Min(_rowTile, batch.RowCount - first));
                ComputeLayers(attention);
                if (_rows.OutputRowCount > 0)
                    ComputeOutput(batch);
            }
        }
        finally
        {
            _rows.Clear();
            Volatile.Write(ref _busy, 0);
        }
    }

    /// <inheritdoc/>
    public override Task MoveToHugePagesAsync(CancellationToken cancellationToken) =>
        WeightMemory?.MoveToHugePagesAsync(cancellationToken) ?? Task.CompletedTask;

    /// <inheritdoc/>
    public override void Dispose()
    {
        _team.Dispose();
        foreach (KvAttention? attention in _attention)
            attention?.Dispose();
        _matMul.Dispose();
        _mixture?.Dispose();
        foreach (Rope rope in _ropes)
            rope.Dispose();
        foreach (NativeBuffer buffer in (NativeBuffer[])[_residual, _normed, _qkv, _attended, _inner])
            buffer.Dispose();
        _weights.Dispose();
        WeightMemory?.Dispose();
    }

    // Rows of logits that follow each other go through the output matrix together.
    private void ComputeOutput(StepBatch batch)
    {
        ReadOnlySpan<int> targets = _rows.Targets;
        Normalise(_weights.FinalNorm, _residual.Floats, _residual.Floats, targets.Length);
        for (int i = 0; i < targets.Length;)
        {
            float* row = _residual.Floats + (long)i * Config.Hidden;
            if (targets[i] < 0)
            {
                batch.SetHidden(~targets[i], new ReadOnlySpan<float>(row, Config.Hidden));
                i++;
                continue;
            }

            int count = 1;
            while (i + count < targets.Length && targets[i + count] >= 0)
                count++;
            float* logits = batch.LogitsPointer + (long)targets[i] * Config.Vocabulary;
            _matMul.Run(_weights.Output, row, count, logits, Config.Vocabulary, factor: Config.LogitScale);
            _logitCap?.Run(logits, (long)count * Config.Vocabulary);
            i += count;
        }
    }

    private NativeBuffer Scratch(int columns) => new((long)_rowTile * columns * sizeof(float));

    private static MatMulResult ActivationOf(ModelConfig config) => (config.Activation, config.IsGated) switch
    {
        (ActivationKind.Silu, true) => MatMulResult.SwiGlu,
        (ActivationKind.GeluTanh, true) => MatMulResult.GeGlu,
        (ActivationKind.Gelu, true) => MatMulResult.GeGluErf,
        (ActivationKind.Relu2, true) => MatMulResult.ReGlu2,
        (ActivationKind.Silu, false) => MatMulResult.Silu,
        (ActivationKind.GeluTanh, false) => MatMulResult.Gelu,
        (ActivationKind.Gelu, false) => MatMulResult.GeluErf,
        _ => MatMulResult.Relu2,
    };
}
