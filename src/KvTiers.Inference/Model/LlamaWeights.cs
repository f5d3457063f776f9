using KvTiers.Inference.Kernels;

namespace KvTiers.Inference.Model;

/// <summary>The weights of a Llama-family model, packed.</summary>
internal sealed class LlamaWeights : IDisposable
{
    private readonly List<IDisposable> _owned = [];

    private LlamaWeights(int layers) => Layers = new Layer[layers];

    /// <summary>[vocabulary, hidden].</summary>
    public required PackedMatrix Embedding { get; init; }

    /// <summary>[vocabulary, hidden]; the embedding itself when tied.</summary>
    public required PackedMatrix Output { get; init; }

    /// <summary>[hidden].</summary>
    public required NativeBuffer FinalNorm { get; init; }

    /// <summary>The layers' weights.</summary>
    public Layer[] Layers { get; }

    /// <summary>Reads and packs all weights.</summary>
    /// <exception cref="ModelFormatException">A tensor is missing, has a wrong shape, or does not belong to the architecture.</exception>
    public static LlamaWeights Load(WeightFiles files, ModelConfig config, MatrixPacker packer)
    {
        long hidden = config.Hidden, inner = config.Intermediate;
        long queries = (long)config.Heads * config.HeadDim, keys = (long)config.KvHeads * config.HeadDim;
        PackedMatrix embedding = packer.Pack(Matrix("model.embed_tokens.weight", config.Vocabulary, hidden));
        LlamaWeights weights = new(config.Layers)
        {
            Embedding = embedding,
            Output = config.TiedEmbeddings ? embedding : packer.Pack(Matrix("lm_head.weight", config.Vocabulary, hidden)),
            FinalNorm = Vector("model.norm.weight", hidden),
        };
        for (int i = 0; i < config.Layers; i++)
        {
            string layer = $"model.layers.{i}.", attention = layer + "self_attn.", feedForward = layer + "mlp.";
            weights.Layers[i] = new Layer
            {
                AttentionNorm = Vector(layer + "input_layernorm.weight", hidden),
                Qkv = packer.Pack(
                    Matrix(attention + "q_proj.weight", queries, hidden),
                    Matrix(attention + "k_proj.weight", keys, hidden),
                    Matrix(attention + "v_proj.weight", keys, hidden)),
                QkvBias = !config.QkvBias ? null : files.Vector(
                    files.Get(attention + "q_proj.bias", queries),
                    files.Get(attention + "k_proj.bias", keys),
                    files.Get(attention + "v_proj.bias", keys)),
                AttentionOutput = packer.Pack(Matrix(attention + "o_proj.weight", hidden, queries)),
                AttentionOutputBias = config.OutputBias ? Vector(attention + "o_proj.bias", hidden) : null,
                FeedForwardNorm = Vector(layer + "post_attention_layernorm.weight", hidden),
                GateUp = packer.PackPaired(Matrix(feedForward + "gate_proj.weight", inner, hidden), Matrix(feedForward + "up_proj.weight", inner, hidden)),
                GateUpBias = config.FeedForwardBias ? PairedBias(feedForward, inner) : null,
                Down = packer.Pack(Matrix(feedForward + "down_proj.weight", hidden, inner)),
                DownBias = config.FeedForwardBias ? Vector(feedForward + "down_proj.bias", hidden) : null,
            };
        }
        files.RequireAllUsed(name =>
            name.EndsWith(".rotary_emb.inv_freq", StringComparison.Ordinal) || (config.TiedEmbeddings && name == "lm_head.weight"));
        weights.Own();
        return weights;

        TensorMatrix Matrix(string name, long outputs, long inputs) => new(files.Get(name, outputs, inputs));

        NativeBuffer Vector(string name, long length) => files.Vector(files.Get(name, length));

        unsafe NativeBuffer PairedBias(string prefix, long length)
        {
            using NativeBuffer gate = Vector(prefix + "gate_proj.bias", length), up = Vector(prefix + "up_proj.bias", length);
            NativeBuffer paired = new((length + 15) / 16 * PackedMatrix.PanelWidth * sizeof(float));
            for (long i = 0; i < length; i++)
            {
                float* pair = paired.Floats + i / 16 * PackedMatrix.PanelWidth + i % 16;
                pair[0] = gate.Floats[i];
                pair[16] = up.Floats[i];
            }
            return paired;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (IDisposable owned in _owned)
            owned.Dispose();
    }

    private void Own()
    {
        _owned.AddRange([Embedding, Output, FinalNorm]);
        foreach (Layer layer in Layers)
            _owned.AddRange(layer.Buffers());
    }

    /// <summary>One layer's weights.</summary>
    internal sealed class Layer
    {
        /// <summary>[hidden].</summary>
        public required NativeBuffer AttentionNorm { get; init; }

        /// <summary>[(heads + 2 · kvHeads) · headDim, hidden]: queries, keys, values.</summary>
        public required PackedMatrix Qkv { get; init; }

        /// <summary>[(heads + 2 · kvHeads) · headDim], or null.</summary>
        public required NativeBuffer? QkvBias { get; init; }

        /// <summary>[hidden, heads · headDim].</summary>
        public required PackedMatrix AttentionOutput { get; init; }

        /// <summary>[hidden], or null.</summary>
        public required NativeBuffer? AttentionOutputBias { get; init; }

        /// <summary>[hidden].</summary>
        public required NativeBuffer FeedForwardNorm { get; init; }

        /// <summary>[intermediate, hidden] twice, packed in pairs.</summary>
        public required PackedMatrix GateUp { get; init; }

        /// <summary>[intermediate] twice, in pairs, or null.</summary>
        public required NativeBuffer? GateUpBias { get; init; }

        /// <summary>[hidden, intermediate].</summary>
        public required PackedMatrix Down { get; init; }

        /// <summary>[hidden], or null.</summary>
        public required NativeBuffer? DownBias { get; init; }

        /// <summary>All that is there.</summary>
        public IEnumerable<IDisposable> Buffers() => ((IDisposable?[])
            [AttentionNorm, Qkv, QkvBias, AttentionOutput, AttentionOutputBias, FeedForwardNorm, GateUp, GateUpBias, Down, DownBias]).OfType<IDisposable>();
    }
}
