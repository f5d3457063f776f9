using static TorchSharp.torch;

namespace KvTiers.TorchSharp.Models;

/// <summary>The cache of KvTiers: shared, tiered, and written in place.</summary>
/// <param name="cache">What was acquired. Disposed with this.</param>
public sealed class TieredPast(TorchKvCache cache) : Past
{
    /// <summary>The cache itself, for all that a model does not need: crop, edit, fork, reorder.</summary>
    public TorchKvCache Cache => cache;

    /// <inheritdoc/>
    public override int Batch => cache.BatchSize;

    /// <inheritdoc/>
    public override int Length => cache.SequenceLength;

    /// <inheritdoc/>
    public override long CopiedBytes => cache.Totals.UpdatedBytes + cache.Totals.StoredBytes + cache.Totals.LoadedBytes + cache.Totals.GrownBytes;

    /// <inheritdoc/>
    public override (Tensor Key, Tensor Value) Update(Tensor key, Tensor value, int layer) => cache.Update(key, value, layer);

    /// <inheritdoc/>
    public override Tensor? Mask(int layer) => cache.AttentionMask(layer)?.alias();

    /// <inheritdoc/>
    public override Tensor Positions(int count) => cache.Positions(count);

    /// <inheritdoc/>
    public override void Append(ReadOnlySpan<int> tokens) => cache.Append(tokens);

    /// <inheritdoc/>
    public override void Dispose() => cache.Dispose();
}
