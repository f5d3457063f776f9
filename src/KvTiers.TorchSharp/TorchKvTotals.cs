namespace KvTiers.TorchSharp;

/// <summary>What a <see cref="TorchKvCache"/> or a <see cref="TorchPagedKvCache"/> has moved so far. All counts only grow.</summary>
public readonly record struct TorchKvTotals
{
    /// <summary>Bytes of K and V that updates wrote into tensors: those of new rows, and nothing else.</summary>
    public long UpdatedBytes { get; internal init; }

    /// <summary>Bytes copied from tensors into blocks: those of new rows, and nothing else.</summary>
    public long StoredBytes { get; internal init; }

    /// <summary>Bytes copied from blocks into tensors: what was found in the cache instead of computed.</summary>
    public long LoadedBytes { get; internal init; }

    /// <summary>Bytes copied from tensors to tensors because sequences were reordered, repeated or forked.</summary>
    public long ReorderedBytes { get; internal init; }

    /// <summary>Bytes copied because the tensors became too small, which doubles them: over a whole sequence less than twice its own bytes.</summary>
    public long GrownBytes { get; internal init; }

    /// <summary>Tensors allocated to hold K and V: two a layer at the start, and two a layer whenever they grow.</summary>
    public long Allocations { get; internal init; }
}
