using KvTiers.Inference.Kernels;

namespace KvTiers.Inference.Model;

/// <summary>The weights of a decoder, packed.</summary>
internal sealed class DecoderWeights : IDisposable
{
    private readonly List<IDisposable> _owned;

    /// <summary>Takes over <paramref name="owned"/>: all that the properties name.</summary>
    public DecoderWeights(List<IDisposable> owned) => _owned = owned;

    /// <summary>[vocabulary, hidden].</summary>
    public required PackedMatrix Embedding { get; init; }

    /// <summary>[contextLength, hidden], or null.</summary>
    public required NativeBuffer? Positions { get; init; }

    /// <summary>[vocabulary, hidden]; the embedding itself when tied.</summary>
    public required PackedMatrix Output { get; init; }

    /// <summary>Before the output matrix.</summary>
    public required NormWeights FinalNorm { get; init; }

    /// <summary>The layers' weights.</summary>
    public required Layer[] Layers { get; init; }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (IDisposable owned in _owned)
            owned.Dispose();
    }

    /// <summary>Scale and, of LayerNorm, shift: [length] each, or as many vectors as there are heads.</summary>
    internal sealed record NormWeights(NativeBuffer Weight, NativeBuffer? Bias);

    /// <summary>A matrix [outputs, inputs] and its bias [outputs], or null.</summary>
    internal sealed record Linear(PackedMatrix Matrix, NativeBuffer? Bias);

    /// <summary>A feed-forward layer: into it, [intermediate, hidden], twice and packed in pairs where it is gated; and out of it, [hidden, intermediate].</summary>
    internal sealed record FeedForward(Linear Up, Linear Down);

    /// <summary>Experts, and the router [experts, hidden] that scores them.</summary>
    internal sealed record Mixture(PackedMatrix Router, FeedForward[] Experts);

    /// <summary>One layer's weights.</summary>
    internal sealed class Layer
    {
        /// <summary>Before attention.</summary>
        public required NormWeights? AttentionNorm { get; init; }

        /// <summary>[(heads + 2 · kvHeads) · headDim, hidden]: queries, keys, values.</summary>
        public required Linear Qkv { get; init; }

        /// <summary>Of queries.</summary>
        public required NormWeights? QueryNorm { get; init; }

        /// <summary>Of keys.</summary>
        public required NormWeights? KeyNorm { get; init; }

        /// <summary>[hidden, heads · headDim].</summary>
        public required Linear AttentionOutput { get; init; }

        /// <summary>After attention.</summary>
        public required NormWeights? PostAttentionNorm { get; init; }

        /// <summary>Before the feed-forward layer.</summary>
        public required NormWeights? FeedForwardNorm { get; init; }

        /// <summary>The feed-forward layer; null where there are experts.</summary>
        public required FeedForward? FeedForward { get; init; }

        /// <summary>Experts, or null.</summary>
        public required Mixture? Mixture { get; init; }

        /// <summary>After the feed-forward layer.</summary>
        public required NormWeights? PostFeedForwardNorm { get; init; }
    }
}
