using KvTiers.Inference.Model;
using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn.functional;

namespace KvTiers.TorchSharp.Models;

/// <summary>Llama, Mistral, Qwen2: RMSNorm, rotary positions, grouped queries, SwiGLU.</summary>
public sealed class Llama : TorchModel
{
    private readonly Tensor _embedding; // [vocabulary, hidden]
    private readonly Tensor _output; // [vocabulary, hidden]
    private readonly Tensor _finalNorm; // [hidden]
    private readonly Tensor _frequencies; // [headDim / 2] radians a position
    private readonly Scalar _epsilon; // kept, as One is
    private readonly Layer[] _layers;

    /// <summary>Reads the weights.</summary>
    public Llama(ModelConfig config, WeightFiles files)
        : base(config)
    {
        long hidden = config.Hidden, inner = config.Intermediate;
        long queries = (long)config.Heads * config.HeadDim, keys = (long)config.KvHeads * config.HeadDim;
        _embedding = Weight(files, "model.embed_tokens.weight", config.Vocabulary, hidden);
        _output = config.TiedEmbeddings ? _embedding : Weight(files, "lm_head.weight", config.Vocabulary, hidden);
        _finalNorm = Weight(files, "model.norm.weight", hidden);
        _epsilon = config.NormEpsilon;
        _frequencies = Keep(tensor(Frequencies(config.LayerConfigs[0].Rotary!)));
        _layers = [.. Enumerable.Range(0, config.Layers).Select(i =>
        {
            string layer = $"model.layers.{i}.", attention = layer + "self_attn.", feedForward = layer + "mlp.";
            return new Layer(
                Weight(files, layer + "input_layernorm.weight", hidden),
                Stacked(
                    Weight(files, attention + "q_proj.weight", queries, hidden),
                    Weight(files, attention + "k_proj.weight", keys, hidden),
                    Weight(files, attention + "v_proj.weight", keys, hidden)),
                config.QkvBias
                    ? Stacked(
                        Weight(files, attention + "q_proj.bias", queries), Weight(files, attention + "k_proj.bias", keys), Weight(files, attention + "v_proj.bias", keys))
                    : null,
                Weight(files, attention + "o_proj.weight", hidden, queries),
                config.OutputBias ? Weight(files, attention + "o_proj.bias", hidden) : null,
                Weight(files, layer + "post_attention_layernorm.weight", hidden),
                Stacked(Weight(files, feedForward + "gate_proj.weight", inner, hidden), Weight(files, feedForward + "up_proj.weight", inner, hidden)),
                config.FeedForwardBias ? Stacked(Weight(files, feedForward + "gate_proj.bias", inner), Weight(files, feedForward + "up_proj.bias", inner)) : null,
                Weight(files, feedForward + "down_proj.weight", hidden, inner),
                config.FeedForwardBias ? Weight(files, feedForward + "down_proj.bias", hidden) : null);
        })];
    }

    /// <inheritdoc/>
    protected override Tensor Logits(Tensor ids, Tensor positions, Past? past, int rows)
    {
        long batch = ids.size(0), count = ids.size(1), turned = Config.Heads + Config.KvHeads;
        Tensor angles = positions.unsqueeze(-1).to(ScalarType.Float32) * _frequencies; // [batch, new, headDim / 2]
        Tensor cosines = angles.cos().unsqueeze(2), sines = angles.sin().unsqueeze(2), negated = sines.neg(); // [batch, new, 1, headDim / 2]
        Tensor x = Embed(_embedding, ids); // [batch, new, hidden]
        for (int i = 0; i < _layers.Length; i++)
        {
            using DisposeScope scope = NewDisposeScope(); // what a layer allocates is free for the next one
            Layer layer = _layers[i];
            Tensor qkv = linear(Normalise(layer.AttentionNorm, x), layer.Qkv, layer.QkvBias).view(batch, count, turned + Config.KvHeads, Config.HeadDim);

            // Queries and keys are turned by their positions, together. Keys are kept turned.
            Tensor turnedHeads = Turn(qkv.narrow(2, 0, turned), cosines, sines, negated).transpose(1, 2); // [batch, heads + kvHeads, new, headDim]
            Tensor attended = Attention(
                turnedHeads.narrow(1, 0, Config.Heads), turnedHeads.narrow(1, Config.Heads, Config.KvHeads),
                qkv.narrow(2, turned, Config.KvHeads).transpose(1, 2), past, i);
            x = Sum(x, linear(attended, layer.Output, layer.OutputBias));

            Tensor gateUp = linear(Normalise(layer.FeedForwardNorm, x), layer.GateUp, layer.GateUpBias); // [batch, new, 2 · intermediate]
            Tensor inner = gateUp.narrow(2, 0, Config.Intermediate).silu() * gateUp.narrow(2, Config.Intermediate, Config.Intermediate);
            x = Sum(x, linear(inner, layer.Down, layer.DownBias)).MoveToOuterDisposeScope();
        }

        return linear(Normalise(_finalNorm, LastRows(x, rows)), _output); // [batch, rows, vocabulary]
    }

    private Tensor Normalise(Tensor weight, Tensor x) => x * x.square().mean([-1], keepdim: true).add(_epsilon, One).rsqrt() * weight;

    // Element d of the first half and element d of the second are turned by one angle.
    private Tensor Turn(Tensor x, Tensor cosines, Tensor sines, Tensor negated)
    {
        long half = Config.HeadDim / 2;
        Tensor first = x.narrow(-1, 0, half), second = x.narrow(-1, half, half);
        return cat([Sum(first * cosines, second * negated), Sum(second * cosines, first * sines)], -1);
    }

    private static float[] Frequencies(RotaryConfig rotary) => [.. Enumerable.Range(0, rotary.Dim / 2).Select(i =>
    {
        double frequency = 1 / Math.Pow(rotary.Theta, 2.0 * i / rotary.Dim);
        if (rotary.Scaling is RopeScaling.Linear stretched)
            return (float)(frequency / stretched.Factor);
        if (rotary.Scaling is not RopeScaling.Llama3 scaling)
            return (float)frequency;

        // Between two wave lengths from kept to divided, as a share that runs from 1 to 0.
        double turns = scaling.OriginalContextLength * frequency / (2 * Math.PI);
        double kept = Math.Clamp((turns - scaling.LowFrequencyFactor) / (scaling.HighFrequencyFactor - scaling.LowFrequencyFactor), 0, 1);
        return (float)(frequency * (kept + (1 - kept) / scaling.Factor));
    })];

    private sealed record Layer(
        Tensor AttentionNorm, Tensor Qkv, Tensor? QkvBias, Tensor Output, Tensor? OutputBias,
        Tensor FeedForwardNorm, Tensor GateUp, Tensor? GateUpBias, Tensor Down, Tensor? DownBias);
}
