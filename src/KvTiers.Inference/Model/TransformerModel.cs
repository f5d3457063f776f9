using KvTiers.Blocks;
using KvTiers.Inference.Kernels;

namespace KvTiers.Inference.Model;

/// <summary>
/// What all architectures share: a step is checked, then goes through the layers in tiles of rows, so that scratch memory is bounded.
/// A tile's K and V are complete before the next tile begins, so rows of one sequence may span tiles.
/// </summary>
internal abstract unsafe class TransformerModel : LanguageModel
{
    private readonly Attention?[] _attention = new Attention?[2];
    private readonly int _rowTile;
    private int _busy;

    /// <summary>Prepares threads, ops and scratch memory.</summary>
    protected TransformerModel(ModelConfig config, ThreadTeam team, KernelPath path, byte[] fingerprint, int rowTile)
    {
        Config = config;
        Fingerprint = fingerprint;
        Team = team;
        Path = path;
        _rowTile = rowTile;
        Rows = new StepRows(rowTile, PagedAttention.RowsPerTile(config.Heads / config.KvHeads));
        MatMul = new MatMul(team, path);
        Embedding = new EmbeddingLookup(team);
        QkvColumns = (config.Heads + 2 * config.KvHeads) * config.HeadDim;
        Residual = Scratch(config.Hidden);
        Normed = Scratch(config.Hidden);
        Qkv = Scratch(QkvColumns);
        Attended = Scratch(config.Heads * config.HeadDim);
        Inner = Scratch(config.Intermediate);
    }

    /// <inheritdoc/>
    public override ModelConfig Config { get; }

    /// <inheritdoc/>
    public override ReadOnlyMemory<byte> Fingerprint { get; }

    /// <inheritdoc/>
    public override bool HasHiddenStates => true;

    /// <summary>Where the matrices are, given back with the model.</summary>
    internal WeightArena? WeightMemory { get; set; }

    protected ThreadTeam Team { get; }

    protected KernelPath Path { get; }

    /// <summary>The tile's rows.</summary>
    protected StepRows Rows { get; }

    protected MatMul MatMul { get; }

    protected EmbeddingLookup Embedding { get; }

    /// <summary>Elements of a row of queries, keys and values.</summary>
    protected int QkvColumns { get; }

    /// <summary>[rows, hidden]: what the layers add to.</summary>
    protected NativeBuffer Residual { get; }

    /// <summary>[rows, hidden].</summary>
    protected NativeBuffer Normed { get; }

    /// <summary>[rows, QkvColumns].</summary>
    protected NativeBuffer Qkv { get; }

    /// <summary>[rows, heads · headDim].</summary>
    protected NativeBuffer Attended { get; }

    /// <summary>[rows, intermediate].</summary>
    protected NativeBuffer Inner { get; }

    /// <inheritdoc/>
    public override void Forward(StepBatch batch)
    {
        Check(batch);
        if (Interlocked.Exchange(ref _busy, 1) != 0)
            throw new InvalidOperationException("A forward pass is running: one call at a time.");
        try
        {
            batch.ReserveLogits();
            Attention attention = _attention[(int)batch.Layout.Format] ??= new Attention(Team, Path, batch.Layout, Config.Heads);
            for (int first = 0; first < batch.RowCount; first += _rowTile)
            {
                Rows.Set(batch.TokenIds, batch.Segments, first, Math.Min(_rowTile, batch.RowCount - first));
                ComputeLayers(attention);
                if (Rows.OutputRowCount > 0)
                    ComputeOutput(batch);
            }
        }
        finally
        {
            Rows.Clear();
            Volatile.Write(ref _busy, 0);
        }
    }

    /// <inheritdoc/>
    public override Task MoveToHugePagesAsync(CancellationToken cancellationToken) =>
        WeightMemory?.MoveToHugePagesAsync(cancellationToken) ?? Task.CompletedTask;

    /// <inheritdoc/>
    public override void Dispose()
    {
        Team.Dispose();
        foreach (Attention? attention in _attention)
            attention?.Dispose();
        MatMul.Dispose();
        foreach (NativeBuffer buffer in (NativeBuffer[])[Residual, Normed, Qkv, Attended, Inner])
            buffer.Dispose();
        WeightMemory?.Dispose();
    }

    /// <summary>
    /// Takes the tile's tokens through all layers: K and V into the blocks, the sums of the rows whose logits or hidden states are wanted to the front of
    /// <see cref="Residual"/>.
    /// </summary>
    protected abstract void ComputeLayers(Attention attention);

    /// <summary>The last norm, in place.</summary>
    /// <param name="rows">[count, hidden].</param>
    /// <param name="count">Rows, at least 1.</param>
    protected abstract void NormaliseOutput(float* rows, int count);

    /// <summary>The output matrix.</summary>
    /// <param name="rows">[count, hidden], after the last norm.</param>
    /// <param name="count">Rows, at least 1.</param>
    /// <param name="logits">[count, vocabulary].</param>
    protected abstract void ComputeLogits(float* rows, int count, float* logits);

    // Rows of logits that follow each other go through the output matrix together.
    private void ComputeOutput(StepBatch batch)
    {
        ReadOnlySpan<int> targets = Rows.Targets;
        NormaliseOutput(Residual.Floats, targets.Length);
        for (int i = 0; i < targets.Length;)
        {
            float* row = Residual.Floats + (long)i * Config.Hidden;
            if (targets[i] < 0)
            {
                batch.SetHidden(~targets[i], new ReadOnlySpan<float>(row, Config.Hidden));
                i++;
                continue;
            }

            int count = 1;
            while (i + count < targets.Length && targets[i + count] >= 0)
                count++;
            ComputeLogits(row, count, batch.LogitsPointer + (long)targets[i] * Config.Vocabulary);
            i += count;
        }
    }

    /// <summary>
    /// Moves the rows whose logits or hidden states are wanted to the front of <see cref="Residual"/> and <see cref="Attended"/>: once K and V of the last layer are
    /// written, nobody reads the others.
    /// </summary>
    /// <returns>How many they are, perhaps 0.</returns>
    protected int KeepOutputRows()
    {
        ReadOnlySpan<int> wanted = Rows.OutputRows;
        int attended = Config.Heads * Config.HeadDim;
        for (int i = 0; i < wanted.Length; i++)
        {
            Move(Residual.Floats, Config.Hidden, wanted[i], i);
            Move(Attended.Floats, attended, wanted[i], i);
        }
        return wanted.Length;

        static void Move(float* rows, int columns, int from, int to) =>
            new ReadOnlySpan<float>(rows + (long)from * columns, columns).CopyTo(new Span<float>(rows + (long)to * columns, columns));
    }

    /// <summary>Scratch memory for one tile.</summary>
    protected NativeBuffer Scratch(int columns) => new((long)_rowTile * columns * sizeof(float));

    /// <summary>The ops that touch blocks, for one layout.</summary>
    protected sealed class Attention(ThreadTeam team, KernelPath path, BlockLayout layout, int heads) : IDisposable
    {
        private readonly KvWriter _writer = new(team, path, layout);
        private readonly PagedAttention _attention = new(team, path, layout, heads);

        /// <summary>Writes one layer's new K and V, then attends.</summary>
        /// <param name="rows">The rows.</param>
        /// <param name="layer">The layer.</param>
        /// <param name="window">Tokens attended to at most.</param>
        /// <param name="qkv">[rows, columns]: queries, keys, values.</param>
        /// <param name="columns">Elements of a row.</param>
        /// <param name="output">[rows, heads · headDim].</param>
        public void Run(StepRows rows, int layer, int window, float* qkv, int columns, float* output)
        {
            float* keys = qkv + heads * layout.HeadDim;
            _writer.Run(rows, layer, keys, keys + layout.KvHeads * layout.HeadDim, columns);
            _attention.Run(rows, layer, window, qkv, columns, output);
        }

        /// <inheritdoc/>
        public void Dispose() => _attention.Dispose();
    }
}
