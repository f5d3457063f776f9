using KvTiers.Blocks;
using KvTiers.Inference.Model.Gguf;

namespace KvTiers.Inference.Model;

/// <summary>A decoder-only transformer: its shape, and which operations its layers are made of. As its <c>config.json</c> states it.</summary>
/// <remarks>Two are equal when a forward pass cannot tell them apart and their contexts are as long.</remarks>
public sealed partial record ModelConfig
{
    /// <summary>The architecture as <c>config.json</c> names it, such as <c>Qwen3ForCausalLM</c>. Names tensors; what is computed is in the other properties.</summary>
    public required string Architecture { get; init; }

    /// <summary>Transformer layers.</summary>
    public required int Layers { get; init; }

    /// <summary>Query heads.</summary>
    public required int Heads { get; init; }

    /// <summary>Heads of keys and values; divides <see cref="Heads"/>. Query head h reads KV head h / (heads / kvHeads).</summary>
    public required int KvHeads { get; init; }

    /// <summary>Elements of one head.</summary>
    public required int HeadDim { get; init; }

    /// <summary>Elements of the residual stream.</summary>
    public required int Hidden { get; init; }

    /// <summary>Elements of the feed-forward layer's inner vector.</summary>
    public required int Intermediate { get; init; }

    /// <summary>Token ids; also the length of a row of logits.</summary>
    public required int Vocabulary { get; init; }

    /// <summary>Positions that the model was made for. A token's position is less than this.</summary>
    public required int ContextLength { get; init; }

    /// <summary>The term under the root of RMSNorm or LayerNorm.</summary>
    public required float NormEpsilon { get; init; }

    /// <summary>The output matrix is the token embedding.</summary>
    public required bool TiedEmbeddings { get; init; }

    /// <summary>Window, rotary positions and kind of feed-forward layer of every layer: <see cref="Layers"/> of them.</summary>
    public required IReadOnlyList<LayerConfig> LayerConfigs { get; init; }

    /// <summary>What normalises.</summary>
    public NormKind Norm { get; init; }

    /// <summary>The file stores weights of norms less 1.</summary>
    public bool NormWeightsLessOne { get; init; }

    /// <summary>Where norms stand.</summary>
    public NormPlacement NormPlacement { get; init; }

    /// <summary>How attention and the feed-forward layer add to the residual stream.</summary>
    public ResidualKind Residual { get; init; }

    /// <summary>A vector for each position is added to the embeddings.</summary>
    public bool LearnedPositions { get; init; }

    /// <summary>What is normalised of queries and keys.</summary>
    public QueryKeyNorm QueryKeyNorm { get; init; }

    /// <summary>The projections to queries, keys and values have biases.</summary>
    public bool QkvBias { get; init; }

    /// <summary>The projection after attention has a bias.</summary>
    public bool OutputBias { get; init; }

    /// <summary>The matrices of the feed-forward layer have biases.</summary>
    public bool FeedForwardBias { get; init; }

    /// <summary>The feed-forward layer's function.</summary>
    public ActivationKind Activation { get; init; }

    /// <summary>The feed-forward layer is down(f(gate(x)) · up(x)); else down(f(up(x))).</summary>
    public bool IsGated { get; init; } = true;

    /// <summary>The experts of layers that have some.</summary>
    public ExpertsConfig? Experts { get; init; }

    /// <summary>Factor on a product of query and key; <see langword="null"/> for 1 / √headDim.</summary>
    public float? AttentionScale { get; init; }

    /// <summary>Scores become cap · tanh(score / cap); <see langword="null"/> leaves them.</summary>
    public float? AttentionCap { get; init; }

    /// <summary>Factor on the embeddings of tokens.</summary>
    public float EmbeddingScale { get; init; } = 1;

    /// <summary>Factor on what attention and the feed-forward layer add to the residual stream.</summary>
    public float ResidualScale { get; init; } = 1;

    /// <summary>Factor on the logits.</summary>
    public float LogitScale { get; init; } = 1;

    /// <summary>Logits become cap · tanh(logit / cap); <see langword="null"/> leaves them.</summary>
    public float? LogitCap { get; init; }

    /// <summary>Reads <c>config.json</c> of a folder, or the metadata of a GGUF file.</summary>
    /// <param name="folder">The folder, or the file.</param>
    /// <exception cref="ModelFormatException">The file is missing, malformed, or asks for what the engine does not compute.</exception>
    public static ModelConfig Load(string folder)
    {
        if (!GgufFile.IsNamedSo(folder))
            return ModelConfigReader.Read(JsonProperties.ReadFile(Path.Combine(folder, "config.json")));
        using GgufFile file = new(folder);
        return ModelConfigReader.Read(new JsonProperties(folder, new GgufConfig(file).Json));
    }

    /// <summary>Tokens that a token of <paramref name="layer"/> attends to, itself included, at most.</summary>
    public int WindowOf(int layer) => LayerConfigs[layer].Window ?? int.MaxValue;

    /// <summary>The layout of this model's KV blocks.</summary>
    /// <param name="format">Element format.</param>
    /// <param name="blockSize">Tokens of a block. The kernels read blocks of 16.</param>
    public BlockLayout CreateLayout(KvFormat format = KvFormat.F32, int blockSize = 16) =>
        new(Layers, KvHeads, HeadDim, format, blockSize);

    /// <inheritdoc/>
    public bool Equals(ModelConfig? other) =>
        other is not null && Architecture == other.Architecture && ContextLength == other.ContextLength && Canonical() == other.Canonical();

    /// <inheritdoc/>
    public override int GetHashCode() => Canonical().GetHashCode(StringComparison.Ordinal);
}
