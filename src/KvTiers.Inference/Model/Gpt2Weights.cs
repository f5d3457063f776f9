using KvTiers.Inference.Kernels;

namespace KvTiers.Inference.Model;

/// <summary>The weights of a GPT-2 model, packed. Its matrices are stored [inputs, outputs].</summary>
internal sealed class Gpt2Weights : IDisposable
{
    private readonly List<IDisposable> _owned = [];

    private Gpt2Weights(int layers) => Layers = new Layer[layers];

    /// <summary>[vocabulary, hidden].</summary>
    public required PackedMatrix Embedding { get; init; }

    /// <summary>[contextLength, hidden].</summary>
    public required NativeBuffer Positions { get; init; }

    /// <summary>[vocabulary, hidden]; the embedding itself when tied.</summary>
    public required PackedMatrix Output { get; init; }

    /// <summary>Scale and shift of the last LayerNorm.</summary>
    public required Norm FinalNorm { get; init; }

    /// <summary>The layers' weights.</summary>
    public Layer[] Layers { get; }

    /// <summary>Reads and packs all weights.</summary>
    /// <exception cref="ModelFormatException">A tensor is missing, has a wrong shape, or does not belong to the architecture.</exception>
    public static unsafe Gpt2Weights Load(WeightFiles files, ModelConfig config, MatrixPacker packer)
    {
        long hidden = config.Hidden, inner = config.Intermediate;
        string prefix = files.Has("transformer.wte.weight") ? "transformer." : "";
        PackedMatrix embedding = packer.Pack(new TensorMatrix(files.Get(prefix + "wte.weight", config.Vocabulary, hidden)));
        SafetensorsTensor positionTensor = files.Get(prefix + "wpe.weight", config.ContextLength, hidden);
        NativeBuffer positions = new((long)config.ContextLength * hidden * sizeof(float));
        for (int i = 0; i < config.ContextLength; i++)
            positionTensor.Read(i * hidden, 1, new Span<float>(positions.Floats + i * hidden, (int)hidden));
        Gpt2Weights weights = new(config.Layers)
        {
            Embedding = embedding,
            Positions = positions,
            Output = config.TiedEmbeddings ? embedding : packer.Pack(new TensorMatrix(files.Get("lm_head.weight", config.Vocabulary, hidden))),
            FinalNorm = ReadNorm("ln_f"),
        };
        for (int i = 0; i < config.Layers; i++)
        {
            string layer = $"h.{i}.";
            weights.Layers[i] = new Layer
            {
                AttentionNorm = ReadNorm(layer + "ln_1"),
                Qkv = ReadLinear(layer + "attn.c_attn", 3 * hidden, hidden),
                AttentionOutput = ReadLinear(layer + "attn.c_proj", hidden, hidden),
                FeedForwardNorm = ReadNorm(layer + "ln_2"),
                Up = ReadLinear(layer + "mlp.c_fc", inner, hidden),
                Down = ReadLinear(layer + "mlp.c_proj", hidden, inner),
            };
        }
        // Older files carry the causal mask.
        files.RequireAllUsed(name =>
            name.EndsWith(".attn.bias", StringComparison.Ordinal) || name.EndsWith(".attn.masked_bias", StringComparison.Ordinal)
            || (config.TiedEmbeddings && name == "lm_head.weight"));
        weights.Own();
        return weights;

        Norm ReadNorm(string name) => new(
            files.Vector(files.Get($"{prefix}{name}.weight", hidden)), files.Vector(files.Get($"{prefix}{name}.bias", hidden)));

        Linear ReadLinear(string name, long outputs, long inputs) => new(
            packer.Pack(new TensorMatrix(files.Get($"{prefix}{name}.weight", inputs, outputs), transposed: true)),
            files.Vector(files.Get($"{prefix}{name}.bias", outputs)));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (IDisposable owned in _owned)
            owned.Dispose();
    }

    private void Own()
    {
        _owned.AddRange([Embedding, Positions, Output, FinalNorm.Weight, FinalNorm.Bias]);
        foreach (Layer layer in Layers)
        {
            foreach (Norm norm in (Norm[])[layer.AttentionNorm, layer.FeedForwardNorm])
                _owned.AddRange([norm.Weight, norm.Bias]);
            foreach (Linear linear in (Linear[])[layer.Qkv, layer.AttentionOutput, layer.Up, layer.Down])
                _owned.AddRange([linear.Matrix, linear.Bias]);
        }
    }

    /// <summary>Scale and shift of a LayerNorm, [hidden] each.</summary>
    internal sealed record Norm(NativeBuffer Weight, NativeBuffer Bias);

    /// <summary>A matrix [outputs, inputs] and its bias [outputs].</summary>
    internal sealed record Linear(PackedMatrix Matrix, NativeBuffer Bias);

    /// <summary>One layer's weights.</summary>
    internal sealed class Layer
    {
        /// <summary>Before attention.</summary>
        public required Norm AttentionNorm { get; init; }

        /// <summary>[3 · hidden, hidden]: queries, keys, values.</summary>
        public required Linear Qkv { get; init; }

        /// <summary>[hidden, hidden].</summary>
        public required Linear AttentionOutput { get; init; }

        /// <summary>Before the feed-forward layer.</summary>
        public required Norm FeedForwardNorm { get; init; }

        /// <summary>[intermediate, hidden].</summary>
        public required Linear Up { get; init; }

        /// <summary>[hidden, intermediate].</summary>
        public required Linear Down { get; init; }
    }
}
