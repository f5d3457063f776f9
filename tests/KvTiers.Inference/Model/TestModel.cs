using System.Text.Json.Nodes;
using KvTiers.Inference.Kernels;
using KvTiers.MakeModel;

namespace KvTiers.Inference.Tests.Model;

/// <summary>A small random model: its configuration and its tensors, to be written to a folder and to be computed by the reference.</summary>
internal sealed class TestModel
{
    private readonly Random _random;

    private TestModel(int seed) => _random = new Random(seed);

    public JsonObject Config { get; private init; } = [];

    public SortedDictionary<string, (int[] Shape, float[] Values)> Tensors { get; } = new(StringComparer.Ordinal);

    public static TestModel Llama(
        int seed = 1, int layers = 2, int heads = 4, int kvHeads = 2, int headDim = 16, int hidden = 48, int intermediate = 88,
        int vocabulary = 101, bool tied = true, bool biased = false, string architecture = "LlamaForCausalLM", Action<JsonObject>? edit = null)
    {
        TestModel model = new(seed)
        {
            Config = new JsonObject
            {
                ["architectures"] = new JsonArray(architecture),
                ["hidden_size"] = hidden,
                ["num_hidden_layers"] = layers,
                ["num_attention_heads"] = heads,
                ["num_key_value_heads"] = kvHeads,
                ["head_dim"] = headDim,
                ["intermediate_size"] = intermediate,
                ["vocab_size"] = vocabulary,
                ["max_position_embeddings"] = 1024,
                ["rms_norm_eps"] = 1e-5,
                ["rope_theta"] = 10_000,
                ["hidden_act"] = "silu",
                ["tie_word_embeddings"] = tied,
            },
        };

        // Mistral has no biases, and Qwen2's are part of it: on queries, keys and values.
        bool isQwen2 = architecture == "Qwen2ForCausalLM", innerBias = biased && !isQwen2;
        if (architecture == "LlamaForCausalLM")
        {
            model.Config["attention_bias"] = biased;
            model.Config["mlp_bias"] = biased;
        }

        biased |= isQwen2;
        edit?.Invoke(model.Config);
        model.Add("model.embed_tokens.weight", 1f, vocabulary, hidden);
        model.Add("model.norm.weight", 0, hidden);
        if (!tied)
            model.Add("lm_head.weight", 1f / MathF.Sqrt(hidden), vocabulary, hidden);
        for (int layer = 0; layer < layers; layer++)
        {
            string prefix = $"model.layers.{layer}.";
            model.Add(prefix + "input_layernorm.weight", 0, hidden);
            model.Add(prefix + "post_attention_layernorm.weight", 0, hidden);
            model.Linear(prefix + "self_attn.q_proj", heads * headDim, hidden, biased);
            model.Linear(prefix + "self_attn.k_proj", kvHeads * headDim, hidden, biased);
            model.Linear(prefix + "self_attn.v_proj", kvHeads * headDim, hidden, biased);
            model.Linear(prefix + "self_attn.o_proj", hidden, heads * headDim, innerBias);
            model.Linear(prefix + "mlp.gate_proj", intermediate, hidden, innerBias);
            model.Linear(prefix + "mlp.up_proj", intermediate, hidden, innerBias);
            model.Linear(prefix + "mlp.down_proj", hidden, intermediate, innerBias);
        }
        return model;
    }

    public static TestModel Gpt2(
        int seed = 1, int layers = 2, int heads = 3, int hidden = 48, int vocabulary = 101, string prefix = "transformer.", Action<JsonObject>? edit = null)
    {
        TestModel model = new(seed)
        {
            Config = new JsonObject
            {
                ["architectures"] = new JsonArray("GPT2LMHeadModel"),
                ["n_embd"] = hidden,
                ["n_layer"] = layers,
                ["n_head"] = heads,
                ["n_positions"] = 512,
                ["vocab_size"] = vocabulary,
                ["layer_norm_epsilon"] = 1e-5,
                ["activation_function"] = "gelu_new",
            },
        };
        edit?.Invoke(model.Config);
        model.Add(prefix + "wte.weight", 1f, vocabulary, hidden);
        model.Add(prefix + "wpe.weight", 0.3f, 512, hidden);
        model.Norm(prefix + "ln_f", hidden);
        for (int layer = 0; layer < layers; layer++)
        {
            string name = $"{prefix}h.{layer}.";
            model.Norm(name + "ln_1", hidden);
            model.Norm(name + "ln_2", hidden);
            model.Convolution(name + "attn.c_attn", hidden, 3 * hidden);
            model.Convolution(name + "attn.c_proj", hidden, hidden);
            model.Convolution(name + "mlp.c_fc", hidden, 4 * hidden);
            model.Convolution(name + "mlp.c_proj", 4 * hidden, hidden);
        }
        return model;
    }

    /// <summary>Writes <c>config.json</c> and <c>model.safetensors</c>.</summary>
    public string Write(string folder, TensorType type = TensorType.F32)
    {
        Directory.CreateDirectory(folder);
        File.WriteAllText(Path.Combine(folder, "config.json"), Config.ToJsonString());
        WriteTensors(Path.Combine(folder, "model.safetensors"), Tensors.Keys, type);
        return folder;
    }

    /// <summary>Writes <c>config.json</c>, an index and two shards.</summary>
    public string WriteShards(string folder)
    {
        Directory.CreateDirectory(folder);
        File.WriteAllText(Path.Combine(folder, "config.json"), Config.ToJsonString());
        JsonObject map = [];
        foreach ((int shard, string[] names) in Tensors.Keys.Chunk((Tensors.Count + 1) / 2).Index())
        {
            WriteTensors(Path.Combine(folder, $"model-{shard}.safetensors"), names, TensorType.F32);
            foreach (string name in names)
                map[name] = $"model-{shard}.safetensors";
        }
        File.WriteAllText(Path.Combine(folder, "model.safetensors.index.json"), new JsonObject { ["weight_map"] = map }.ToJsonString());
        return folder;
    }

    /// <summary>Rounds every weight to what a file of that type holds.</summary>
    public void Round(TensorType type)
    {
        foreach ((int[] _, float[] values) in Tensors.Values)
        {
            for (int i = 0; i < values.Length; i++)
                values[i] = type == TensorType.F16 ? (float)(Half)values[i] : BFloat16.Widen(BFloat16.Round(values[i]));
        }
    }

    private void WriteTensors(string path, IEnumerable<string> names, TensorType type)
    {
        TensorInfo[] infos = [.. names.Select(name => new TensorInfo(name, Tensors[name].Shape))];
        using SafetensorsWriter writer = new(path, infos, type);
        foreach (TensorInfo info in infos)
            writer.Write(Tensors[info.Name].Values);
        writer.Complete();
    }

    private void Linear(string name, int outputs, int inputs, bool biased)
    {
        Add(name + ".weight", 1f / MathF.Sqrt(inputs), outputs, inputs);
        if (biased)
            Add(name + ".bias", 0.5f, outputs);
    }

    private void Convolution(string name, int inputs, int outputs)
    {
        Add(name + ".weight", 1f / MathF.Sqrt(inputs), inputs, outputs);
        Add(name + ".bias", 0.5f, outputs);
    }

    private void Norm(string name, int hidden)
    {
        Add(name + ".weight", 0, hidden);
        Add(name + ".bias", 0.2f, hidden);
    }

    // A scale of 0 makes the weights of a norm: around 1.
    private void Add(string name, float scale, params int[] shape)
    {
        float[] values = new float[shape.Aggregate(1, (product, dimension) => product * dimension)];
        for (int i = 0; i < values.Length; i++)
        {
            float noise = (_random.NextSingle() - 0.5f) * 3.46f;
            values[i] = scale == 0 ? 1 + 0.1f * noise : scale * noise;
        }
        Tensors[name] = (shape, values);
    }
}
