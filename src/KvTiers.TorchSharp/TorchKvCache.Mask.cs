using static TorchSharp.torch;

namespace KvTiers.TorchSharp;

public sealed partial class TorchKvCache
{
    // One mask for layers with a window, one for those without; made once a step.
    private readonly Tensor?[] _masks = new Tensor?[2];

    /// <summary>The position of the first column that <see cref="Update"/> returns for a layer in this step: 0, but where the dynamic form leaves out what is outside a window.</summary>
    public int FirstPosition(int layer) => _options.IsStatic ? 0 : (int)Math.Max(0, _leases.Shortest + 1L - _options.WindowOf(layer));

    /// <summary>Positions of the newest tokens, for embeddings or rotary angles.</summary>
    /// <param name="count">New tokens of every sequence, 1 or more.</param>
    /// <returns>[batch, count], int64, on the cache's device. The caller disposes it.</returns>
    public Tensor Positions(int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(count);
        long[] positions = new long[BatchSize * count];
        for (int i = 0; i < positions.Length; i++)
            positions[i] = LengthOf(i / count) + i % count;
        return tensor(positions, [BatchSize, count], device: _options.Device);
    }

    /// <summary>Which columns of what <see cref="Update"/> returned the newest tokens attend to. To be asked for after it, in the same step.</summary>
    /// <param name="layer">The layer.</param>
    /// <returns>
    /// [batch or 1, 1, new, columns], bool, true where attended to; null when every token attends to every column. The cache's own, the same for all layers of a
    /// kind, and disposed when the step ends.
    /// </returns>
    /// <exception cref="InvalidOperationException">No layer was updated in this step.</exception>
    public Tensor? AttentionMask(int layer)
    {
        if (_pending == 0)
            throw new InvalidOperationException("The mask is of the newest tokens: a layer must be updated first.");
        bool isEven = _leases.Shortest == _leases.Longest;
        if (_pending == 1 && isEven && !_options.IsStatic)
            return null;
        int window = _options.WindowOf(layer);
        return _masks[window == int.MaxValue ? 0 : 1] ??= MakeMask(window, FirstPosition(layer), isEven).DetachFromDisposeScope();
    }

    private Tensor MakeMask(int window, int first, bool isEven)
    {
        int end = _options.IsStatic ? _windows.Capacity : _leases.Longest + _pending;
        using Tensor all = Positions(_pending);
        using Tensor rows = isEven ? all.narrow(0, 0, 1) : all.alias();
        using Tensor queries = rows.unsqueeze(1).unsqueeze(-1), columns = TokenPositions.Of(first, end, _options.Device);
        using Tensor past = columns.le(queries);
        if (window == int.MaxValue)
            return past.alias();
        using Tensor width = TokenPositions.Of(window, window + 1, _options.Device), oldest = queries - width, near = columns.gt(oldest);
        return past.logical_and(near);
    }

    private void EndStep()
    {
        _pending = 0;
        Array.Clear(_updated);
        for (int i = 0; i < _masks.Length; i++)
        {
            _masks[i]?.Dispose();
            _masks[i] = null;
        }
    }
}
