using KvTiers.Inference.Model;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn.functional;

namespace KvTiers.TorchSharp.Models;

/// <summary>GPT-2: LayerNorm, learned positions, one product for queries, keys and values, GELU.</summary>
public sealed class Gpt2 : TorchModel
{
    private readonly Tensor _embedding; // [vocabulary, hidden]
    private readonly Tensor _positions; // [context, hidden]
    private readonly Tensor _output; // [vocabulary, hidden]
    private readonly Norm _finalNorm;
    private readonly Layer[] _layers;

    /// <summary>Reads the weights.</summary>
    public Gpt2(ModelConfig config, WeightFiles files)
        : base(config)
    {
        long hidden = config.Hidden, inner = config.Intermediate;
        string prefix = files.Has("transformer.wte.weight") ? "transformer." : "";
        _embedding = Weight(files, prefix + "wte.weight", config.Vocabulary, hidden);
        _positions = Weight(files, prefix + "wpe.weight", config.ContextLength, hidden);
        _output = config.TiedEmbeddings ? _embedding : Weight(files, "lm_head.weight", config.Vocabulary, hidden);
        _finalNorm = ReadNorm("ln_f");
        _layers = [.. Enumerable.Range(0, config.Layers).Select(i => new Layer(
            ReadNorm($"h.{i}.ln_1"),
            ReadLinear($"h.{i}.attn.c_attn", hidden, 3 * hidden),
            ReadLinear($"h.{i}.attn.c_proj", hidden, hidden),
            ReadNorm($"h.{i}.ln_2"),
            ReadLinear($"h.{i}.mlp.c_fc", hidden, inner),
            ReadLinear($"h.{i}.mlp.c_proj", inner, hidden)))];

        Norm ReadNorm(string name) => new(Weight(files, $"{prefix}{name}.weight", hidden), Weight(files, $"{prefix}{name}.bias", hidden));

        // Stored [inputs, outputs]; linear wants [outputs, inputs].
        Affine ReadLinear(string name, long inputs, long outputs)
        {
            using Tensor stored = Weight(files, $"{prefix}{name}.weight", inputs, outputs);
            return new(Keep(stored.t().contiguous()), Weight(files, $"{prefix}{name}.bias", outputs));
        }
    }

    /// <inheritdoc/>
    protected override Tensor Logits(Tensor ids, Tensor positions, Past? past, int rows)
    {
        long batch = ids.size(0), count = ids.size(1);
        Tensor x = Sum(Embed(_embedding, ids), Embed(_positions, positions)); // [batch, new, hidden]
        for (int i = 0; i < _layers.Length; i++)
        {
            using DisposeScope scope = NewDisposeScope(); // what a layer allocates is free for the next one
            Layer layer = _layers[i];
            Tensor qkv = layer.Qkv.Of(Normalise(layer.AttentionNorm, x)); // [batch, new, 3 · hidden]
            Tensor heads = qkv.view(batch, count, 3, Config.Heads, Config.HeadDim).permute(2, 0, 3, 1, 4); // [3, batch, heads, new, headDim]
            x = Sum(x, layer.Output.Of(Attention(heads.select(0, 0), heads.select(0, 1), heads.select(0, 2), past, i)));
            x = Sum(x, layer.Down.Of(layer.Up.Of(Normalise(layer.FeedForwardNorm, x)).gelu(GELU.Approximate.tanh))).MoveToOuterDisposeScope();
        }

        return linear(Normalise(_finalNorm, LastRows(x, rows)), _output); // [batch, rows, vocabulary]
    }

    private Tensor Normalise(Norm norm, Tensor x) => layer_norm(x, [Config.Hidden], norm.Weight, norm.Bias, Config.NormEpsilon);

    private sealed record Norm(Tensor Weight, Tensor Bias);

    private sealed record Affine(Tensor Weight, Tensor Bias)
    {
        public Tensor Of(Tensor x) => linear(x, Weight, Bias);
    }

    private sealed record Layer(Norm AttentionNorm, Affine Qkv, Affine Output, Norm FeedForwardNorm, Affine Up, Affine Down);
}
