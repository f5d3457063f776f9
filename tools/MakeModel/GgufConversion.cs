using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace KvTiers.MakeModel;

/// <summary>Turns a folder's model into a GGUF file, as tools that people use do it: Llama, Qwen 2 and Qwen 3, with a byte-level vocabulary.</summary>
/// <param name="config">Its <c>config.json</c>.</param>
/// <param name="typeOf">The element type of a matrix, by its name in the folder. Vectors are F32.</param>
public sealed class GgufConversion(JsonObject config, Func<string, GgufType> typeOf)
{
    private readonly List<WrittenTensor> _tensors = [];

    /// <summary>The metadata, to which more may be added.</summary>
    public Dictionary<string, object> Metadata { get; } = new(StringComparer.Ordinal);

    /// <summary>The tensors, to which more may be added.</summary>
    public IList<WrittenTensor> Tensors => _tensors;

    private string Architecture => (string)config["architectures"]![0]! switch
    {
        "LlamaForCausalLM" => "llama",
        "Qwen2ForCausalLM" => "qwen2",
        string other => other == "Qwen3ForCausalLM" ? "qwen3" : throw new NotSupportedException(other),
    };

    private int HeadDim => config["head_dim"] is { } given ? (int)given : (int)config["hidden_size"]! / (int)config["num_attention_heads"]!;

    /// <summary>Adds a tensor.</summary>
    /// <param name="name">Its name in the folder.</param>
    /// <param name="shape">Outermost first.</param>
    /// <param name="values">Row-major.</param>
    public void Add(string name, int[] shape, float[] values)
    {
        bool isTurned = Architecture == "llama" && (name.Contains("q_proj", StringComparison.Ordinal) || name.Contains("k_proj", StringComparison.Ordinal));
        GgufType type = shape.Length == 1 ? GgufType.F32 : typeOf(name);
        _tensors.Add(new WrittenTensor(Rename(name), shape, (int)type, GgufQuantiser.Encode(type, isTurned ? Neighbours(values, shape) : values)));
    }

    /// <summary>Adds what <c>config.json</c> says.</summary>
    public void AddConfig()
    {
        string prefix = Architecture + ".";
        Metadata["general.architecture"] = Architecture;
        Metadata["general.name"] = "test";
        Set("context_length", "max_position_embeddings");
        Set("embedding_length", "hidden_size");
        Set("block_count", "num_hidden_layers");
        Set("feed_forward_length", "intermediate_size");
        Set("attention.head_count", "num_attention_heads");
        Set("attention.head_count_kv", "num_key_value_heads");
        Set("vocab_size", "vocab_size");
        Metadata[prefix + "attention.layer_norm_rms_epsilon"] = Number("rms_norm_eps");
        Metadata[prefix + "rope.freq_base"] = Number("rope_theta");
        Metadata[prefix + "rope.dimension_count"] = (uint)HeadDim;
        if (config["head_dim"] is not null)
        {
            Metadata[prefix + "attention.key_length"] = (uint)HeadDim;
            Metadata[prefix + "attention.value_length"] = (uint)HeadDim;
        }

        float Number(string name) => float.Parse(config[name]!.ToJsonString(), CultureInfo.InvariantCulture);

        void Set(string key, string name) => Metadata[prefix + key] = (uint)(int)config[name]!;
    }

    /// <summary>Adds a byte-level vocabulary and the chat template of a folder.</summary>
    /// <param name="folder">With <c>tokenizer.json</c>, and <c>tokenizer_config.json</c> where there is one.</param>
    /// <param name="pre">What the format calls its pre-tokenizer.</param>
    public void AddVocabulary(string folder, string pre)
    {
        JsonNode json = JsonNode.Parse(File.ReadAllBytes(Path.Combine(folder, "tokenizer.json")))!;
        SortedDictionary<int, (string Text, int Type)> tokens = [];
        foreach ((string text, JsonNode? id) in json["model"]!["vocab"]!.AsObject())
            tokens[(int)id!] = (text, 1);
        foreach (JsonNode? added in json["added_tokens"]!.AsArray())
            tokens[(int)added!["id"]!] = ((string)added["content"]!, (bool)added["special"]! ? 3 : 4);
        int count = Math.Max(tokens.Keys.Max() + 1, (int?)config["vocab_size"] ?? 0);
        for (int id = 0; id < count; id++)
            tokens.TryAdd(id, ($"[PAD{id}]", 5));
        Metadata["tokenizer.ggml.model"] = "gpt2";
        Metadata["tokenizer.ggml.pre"] = pre;
        Metadata["tokenizer.ggml.tokens"] = tokens.Values.Select(token => token.Text).ToArray();
        Metadata["tokenizer.ggml.token_type"] = tokens.Values.Select(token => token.Type).ToArray();
        Metadata["tokenizer.ggml.merges"] = json["model"]!["merges"]!.AsArray()
            .Select(merge => merge is JsonArray pair ? $"{pair[0]} {pair[1]}" : (string)merge!).ToArray();
        Metadata["tokenizer.ggml.add_bos_token"] = false;
        string configPath = Path.Combine(folder, "tokenizer_config.json");
        if (!File.Exists(configPath))
            return;
        JsonNode names = JsonNode.Parse(File.ReadAllBytes(configPath))!;
        foreach ((string key, string name) in (ReadOnlySpan<(string, string)>)[("bos", "bos_token"), ("eos", "eos_token"), ("unknown", "unk_token"), ("padding", "pad_token")])
        {
            string? text = names[name] is { } token ? token.GetValueKind() == JsonValueKind.Object ? (string?)token["content"] : (string?)token : null;
            if (text is not null)
                Metadata[$"tokenizer.ggml.{key}_token_id"] = (uint)tokens.First(known => known.Value.Text == text).Key;
        }
        if (names["chat_template"] is { } template)
            Metadata["tokenizer.chat_template"] = (string)template!;
    }

    /// <summary>The whole file.</summary>
    public byte[] Write() => GgufWriter.Write(Metadata, _tensors);

    // Of each head, rows i and i + half become neighbours.
    private float[] Neighbours(float[] values, int[] shape)
    {
        int row = shape.Length == 1 ? 1 : shape[1], half = HeadDim / 2;
        float[] turned = new float[values.Length];
        for (int i = 0; i < shape[0]; i++)
        {
            int head = i / HeadDim, within = i % HeadDim;
            int to = head * HeadDim + within % half * 2 + within / half;
            values.AsSpan(i * row, row).CopyTo(turned.AsSpan(to * row));
        }
        return turned;
    }

    private static string Rename(string name) => name
        .Replace("model.embed_tokens", "token_embd", StringComparison.Ordinal)
        .Replace("model.norm", "output_norm", StringComparison.Ordinal)
        .Replace("lm_head", "output", StringComparison.Ordinal)
        .Replace("model.layers.", "blk.", StringComparison.Ordinal)
        .Replace("input_layernorm", "attn_norm", StringComparison.Ordinal)
        .Replace("post_attention_layernorm", "ffn_norm", StringComparison.Ordinal)
        .Replace("self_attn.q_norm", "attn_q_norm", StringComparison.Ordinal)
        .Replace("self_attn.k_norm", "attn_k_norm", StringComparison.Ordinal)
        .Replace("self_attn.q_proj", "attn_q", StringComparison.Ordinal)
        .Replace("self_attn.k_proj", "attn_k", StringComparison.Ordinal)
        .Replace("self_attn.v_proj", "attn_v", StringComparison.Ordinal)
        .Replace("self_attn.o_proj", "attn_output", StringComparison.Ordinal)
        .Replace("mlp.gate_proj", "ffn_gate", StringComparison.Ordinal)
        .Replace("mlp.up_proj", "ffn_up", StringComparison.Ordinal)
        .Replace("mlp.down_proj", "ffn_down", StringComparison.Ordinal);
}
