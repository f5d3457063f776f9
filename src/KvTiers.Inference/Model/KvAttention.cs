using KvTiers.Blocks;
using KvTiers.Inference.Kernels;

namespace KvTiers.Inference.Model;

/// <summary>The ops that touch blocks, for one layout.</summary>
internal sealed unsafe class KvAttention(ThreadTeam team, KernelPath path, BlockLayout layout, ModelConfig config) : IDisposable
{
    private readonly KvWriter _writer = new(team, path, layout);
    private readonly PagedAttention _attention = new(team, path, layout, config.Heads, config.AttentionScale, config.AttentionCap);

    /// <summary>Writes one layer's new K and V, then attends.</summary>
    /// <param name="rows">The rows.</param>
    /// <param name="layer">The layer.</param>
    /// <param name="window">Tokens attended to at most.</param>
    /// <param name="qkv">[rows, columns]: queries, keys, values.</param>
    /// <param name="columns">Elements of a row.</param>
    /// <param name="output">[rows, heads · headDim].</param>
    public void Run(StepRows rows, int layer, int window, float* qkv, int columns, float* output)
    {
        float* keys = qkv + config.Heads * layout.HeadDim;
        _writer.Run(rows, layer, keys, keys + layout.KvHeads * layout.HeadDim, columns);
        _attention.Run(rows, layer, window, qkv, columns, output);
    }

    /// <inheritdoc/>
    public void Dispose() => _attention.Dispose();
}
