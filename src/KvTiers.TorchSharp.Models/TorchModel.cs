using System.Runtime.InteropServices;
using KvTiers.Inference.Model;
using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn.functional;

namespace KvTiers.TorchSharp.Models;

/// <summary>A model that reads token ids and yields logits: what GPT-2 and Llama have in common. Weights and arithmetic are float32.</summary>
public abstract class TorchModel : IDisposable
{
    private readonly List<Tensor> _weights = [];

    /// <summary>Prepares an empty model.</summary>
    protected TorchModel(ModelConfig config) => Config = config;

    /// <summary>The shape, from config.json.</summary>
    public ModelConfig Config { get; }

    // Kept: of a number, also of the 1 that a sum multiplies by, TorchSharp makes an object that the collector may free while libtorch reads it.
    private protected Scalar One { get; } = 1;

    /// <summary>Reads a Hugging Face folder: config.json and *.safetensors.</summary>
    /// <exception cref="ModelFormatException">A file is missing, malformed, or asks for what is not computed here.</exception>
    public static TorchModel Load(string folder)
    {
        ModelConfig config = ModelConfig.Load(folder);
        string path = Path.Combine(folder, "config.json");
        RequireComputed(config, path);
        using WeightFiles files = new(folder);
        return config.LearnedPositions ? new Gpt2(config, files) : new Llama(config, files);
    }

    // Our own engine computes more: what these models do not, they must not pass over.
    private static void RequireComputed(ModelConfig config, string path)
    {
        if (config.Architecture is not ("LlamaForCausalLM" or "MistralForCausalLM" or "Qwen2ForCausalLM" or "GPT2LMHeadModel"))
        {
            string rule = $"is {config.Architecture}; in TorchSharp there are LlamaForCausalLM, MistralForCausalLM, Qwen2ForCausalLM and GPT2LMHeadModel.";
            throw new ModelFormatException(path, "architectures", rule);
        }
        ActivationKind activation = config.LearnedPositions ? ActivationKind.GeluTanh : ActivationKind.Silu;
        if (config.Activation != activation)
            throw new ModelFormatException(path, config.LearnedPositions ? "activation_function" : "hidden_act", $"must be {activation} in TorchSharp.");
        if (config.LayerConfigs[0].Rotary?.Scaling is RopeScaling.Yarn or RopeScaling.LongRope)
            throw new ModelFormatException(path, "rope_scaling", "must be default, linear, dynamic or llama3 in TorchSharp.");
    }

    /// <summary>Computes the newest tokens of every sequence.</summary>
    /// <param name="tokens">[batch, new] ids, row by row.</param>
    /// <param name="past">Keys and values of the tokens before, which gets those of the new ones; null to compute without any.</param>
    /// <param name="rows">How many of the last tokens get logits.</param>
    /// <returns>[batch, rows, vocabulary]. The caller disposes it.</returns>
    public Tensor Forward(ReadOnlySpan<int> tokens, Past? past, int rows = 1)
    {
        using var noGrad = no_grad();
        using DisposeScope scope = NewDisposeScope();
        int batch = past?.Batch ?? 1, count = tokens.Length / batch;
        Tensor ids = tensor(tokens.ToArray(), [batch, count], dtype: ScalarType.Int64);
        Tensor positions = past?.Positions(count) ?? TokenPositions.Of(0, count).unsqueeze(0);
        Tensor logits = Logits(ids, positions, past, rows);
        past?.Append(tokens);
        return logits.MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (Tensor weight in _weights)
            weight.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>The forward pass. [batch, new] ids and positions, to [batch, rows, vocabulary].</summary>
    protected abstract Tensor Logits(Tensor ids, Tensor positions, Past? past, int rows);

    /// <summary>Scaled dot products of the newest queries with all keys, the past ones included.</summary>
    /// <param name="query">[batch, heads, new, headDim].</param>
    /// <param name="key">[batch, kvHeads, new, headDim].</param>
    /// <param name="value">The same.</param>
    /// <param name="past">Where the past ones are; null for none.</param>
    /// <param name="layer">The layer.</param>
    /// <returns>[batch, new, heads · headDim].</returns>
    protected Tensor Attention(Tensor query, Tensor key, Tensor value, Past? past, int layer)
    {
        long batch = query.size(0), count = query.size(2);
        long group = Config.Heads / Config.KvHeads;

        // past_key_values: (2, batch, kvHeads, tokens, headDim) a layer.
        Tensor? mask = null;
        if (past is not null)
        {
            (key, value) = past.Update(key, value, layer);
            mask = past.Mask(layer);
        }
        else if (count > 1)
        {
            mask = ones([1, 1, count, count], dtype: ScalarType.Bool).tril();
            if (Config.WindowOf(layer) is var window && window < count)
                mask = mask.logical_and(ones([1, 1, count, count], dtype: ScalarType.Bool).triu(1 - window));
        }

        // The query heads of one KV head stand below each other as rows of one head, so that K and V are read as they lie and not repeated.
        query = query.reshape(batch, Config.KvHeads, group * count, Config.HeadDim);
        if (group > 1)
            mask = mask?.repeat(1, 1, group, 1);
        Tensor attended = scaled_dot_product_attention(query, key, value, attn_mask: mask);
        return attended.reshape(batch, Config.Heads, count, Config.HeadDim).transpose(1, 2).reshape(batch, count, Config.Heads * Config.HeadDim);
    }

    /// <summary>Both added: what <c>+</c> does, without its temporary number.</summary>
    private protected Tensor Sum(Tensor first, Tensor second) => first.add(second, One);

    /// <summary>Rows of a table: [rows, hidden] and [batch, new] to [batch, new, hidden].</summary>
    protected static Tensor Embed(Tensor table, Tensor ids) => table.index_select(0, ids.reshape(-1)).view(ids.size(0), ids.size(1), table.size(1));

    /// <summary>The last tokens' rows, those that logits are wanted of.</summary>
    protected static Tensor LastRows(Tensor hidden, int rows) => hidden.narrow(1, hidden.size(1) - rows, rows);

    /// <summary>A weight as the file has it, in float32.</summary>
    protected Tensor Weight(WeightFiles files, string name, params ReadOnlySpan<long> shape)
    {
        SafetensorsTensor stored = files.Get(name, shape);
        Tensor weight = Keep(empty(shape.ToArray(), dtype: ScalarType.Float32));
        stored.Read(0, 1, MemoryMarshal.Cast<byte, float>(weight.bytes));
        return weight;
    }

    /// <summary>Several weights below each other, so that one product computes all of them.</summary>
    protected Tensor Stacked(params ReadOnlySpan<Tensor> parts)
    {
        Tensor all = Keep(cat(parts.ToArray(), 0));
        foreach (Tensor part in parts)
        {
            _weights.Remove(part);
            part.Dispose();
        }

        return all;
    }

    /// <summary>A tensor that lives as long as the model.</summary>
    protected Tensor Keep(Tensor tensor)
    {
        _weights.Add(tensor.DetachFromDisposeScope());
        return tensor;
    }
}
