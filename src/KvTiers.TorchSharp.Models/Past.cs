using static TorchSharp.torch;

namespace KvTiers.TorchSharp.Models;

/// <summary>Past keys and values, as a model sees them: what every cache here is, the one of the cache and the one that grows by <c>cat</c>.</summary>
public abstract class Past : IDisposable
{
    /// <summary>Sequences.</summary>
    public abstract int Batch { get; }

    /// <summary>Tokens whose K and V are held.</summary>
    public abstract int Length { get; }

    /// <summary>Bytes of K and V written or copied so far.</summary>
    public abstract long CopiedBytes { get; }

    /// <summary>Takes K and V of the newest tokens, [batch, kvHeads, new, headDim], and gives back those of all, [batch, kvHeads, columns, headDim].</summary>
    public abstract (Tensor Key, Tensor Value) Update(Tensor key, Tensor value, int layer);

    /// <summary>[batch or 1, 1, new, columns], true where attended to; null for everywhere.</summary>
    public abstract Tensor? Mask(int layer);

    /// <summary>[batch, new]: where the newest tokens stand.</summary>
    public abstract Tensor Positions(int count);

    /// <summary>Names the tokens of the step, [batch, new].</summary>
    public abstract void Append(ReadOnlySpan<int> tokens);

    /// <inheritdoc/>
    public abstract void Dispose();
}
