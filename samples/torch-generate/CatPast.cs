using KvTiers.TorchSharp.Models;
using static TorchSharp.torch;

namespace KvTiers.Samples.TorchGenerate;

/// <summary>The cache of the articles: two tensors a layer, grown by <c>torch.cat</c>. Every step copies all that is held.</summary>
/// <param name="layers">Transformer layers.</param>
/// <param name="batch">Sequences.</param>
public sealed class CatPast(int layers, int batch) : Past
{
    private readonly (Tensor Key, Tensor Value)?[] _past = new (Tensor, Tensor)?[layers];
    private Tensor? _mask;
    private int _length;
    private int _pending;
    private long _copiedBytes;

    /// <inheritdoc/>
    public override int Batch => batch;

    /// <inheritdoc/>
    public override int Length => _length;

    /// <inheritdoc/>
    public override long CopiedBytes => _copiedBytes;

    /// <inheritdoc/>
    public override (Tensor Key, Tensor Value) Update(Tensor key, Tensor value, int layer)
    {
        _pending = (int)key.size(2);
        (Tensor Key, Tensor Value) all = _past[layer] is var (pastKey, pastValue)
            ? (cat([pastKey, key], dim: 2), cat([pastValue, value], dim: 2))
            : (key.contiguous(), value.contiguous());
        _past[layer]?.Key.Dispose();
        _past[layer]?.Value.Dispose();
        _past[layer] = (all.Key.DetachFromDisposeScope(), all.Value.DetachFromDisposeScope());
        _copiedBytes += 2 * all.Key.numel() * all.Key.ElementSize;
        return (all.Key.alias(), all.Value.alias());
    }

    /// <inheritdoc/>
    public override Tensor? Mask(int layer) => _pending == 1
        ? null
        : _mask ??= ones([1, 1, _pending, _length + _pending], dtype: ScalarType.Bool).tril(_length).DetachFromDisposeScope();

    /// <inheritdoc/>
    public override Tensor Positions(int count) => tensor((long[])[.. Enumerable.Range(_length, count).Select(position => (long)position)]).repeat(batch, 1);

    /// <inheritdoc/>
    public override void Append(ReadOnlySpan<int> tokens)
    {
        _length += _pending;
        _mask?.Dispose();
        _mask = null;
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        _mask?.Dispose();
        foreach ((Tensor Key, Tensor Value)? layer in _past)
        {
            layer?.Key.Dispose();
            layer?.Value.Dispose();
        }
    }
}
