using System.Globalization;
using System.Text;
using KvTiers.Blocks;

namespace KvTiers.Inference.Model;

/// <summary>The shape of a model, as its <c>config.json</c> states it.</summary>
public sealed record ModelConfig
{
    /// <summary>The family, which fixes the order of operations.</summary>
    public required ModelArchitecture Architecture { get; init; }

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

    /// <summary>The projections to queries, keys and values have biases.</summary>
    public bool QkvBias { get; init; }

    /// <summary>The projection after attention has a bias.</summary>
    public bool OutputBias { get; init; }

    /// <summary>The matrices of the feed-forward layer have biases.</summary>
    public bool FeedForwardBias { get; init; }

    /// <summary>Base of the rotary frequencies. Unused by GPT-2.</summary>
    public double RopeTheta { get; init; } = 10_000;

    /// <summary>How the rotary frequencies are stretched, or <see langword="null"/> for not at all.</summary>
    public RopeScaling? RopeScaling { get; init; }

    /// <summary>A token attends to this many tokens, itself included, in windowed layers; <see langword="null"/> for all.</summary>
    public int? SlidingWindow { get; init; }

    /// <summary>The first layer that <see cref="SlidingWindow"/> applies to.</summary>
    public int FirstWindowedLayer { get; init; }

    /// <summary>Reads <c>config.json</c> in <paramref name="folder"/>.</summary>
    /// <exception cref="ModelFormatException">The file is missing, malformed, or asks for what the engine does not compute.</exception>
    public static ModelConfig Load(string folder) => ModelConfigReader.Read(Path.Combine(folder, "config.json"));

    /// <summary>Tokens that a token of <paramref name="layer"/> attends to, itself included, at most.</summary>
    public int WindowOf(int layer) =>
        SlidingWindow is int window && layer >= FirstWindowedLayer ? window : int.MaxValue;

    /// <summary>The layout of this model's KV blocks.</summary>
    /// <param name="format">Element format.</param>
    /// <param name="blockSize">Tokens of a block. The kernels read blocks of 16.</param>
    public BlockLayout CreateLayout(KvFormat format = KvFormat.F32, int blockSize = 16) =>
        new(Layers, KvHeads, HeadDim, format, blockSize);

    /// <summary>Every property that a result depends on, in a fixed order and the invariant culture: the fingerprint's text.</summary>
    internal string Canonical()
    {
        StringBuilder text = new();
        Line("architecture", Architecture);
        Line("layers", Layers);
        Line("heads", Heads);
        Line("kv_heads", KvHeads);
        Line("head_dim", HeadDim);
        Line("hidden", Hidden);
        Line("intermediate", Intermediate);
        Line("vocabulary", Vocabulary);
        Line("norm_epsilon", NormEpsilon);
        Line("tied_embeddings", TiedEmbeddings ? 1 : 0);
        Line("qkv_bias", QkvBias ? 1 : 0);
        Line("output_bias", OutputBias ? 1 : 0);
        Line("feed_forward_bias", FeedForwardBias ? 1 : 0);
        Line("rope_theta", RopeTheta);
        switch (RopeScaling)
        {
            case RopeScaling.Linear linear:
                Line("rope_linear", linear.Factor);
                break;
            case RopeScaling.Llama3 llama3:
                Line("rope_llama3", llama3.Factor);
                Line("rope_low", llama3.LowFrequencyFactor);
                Line("rope_high", llama3.HighFrequencyFactor);
                Line("rope_original", llama3.OriginalContextLength);
                break;
        }
        Line("sliding_window", SlidingWindow ?? 0);
        Line("first_windowed_layer", FirstWindowedLayer);
        return text.ToString();

        void Line(string name, IFormattable value) =>
            text.Append(name).Append('=').Append(value.ToString(null, CultureInfo.InvariantCulture)).Append('\n');
    }
}
