using System.Text.Json;
using System.Text.Json.Nodes;

namespace KvTiers.Inference.Model.Gguf;

/// <summary>
/// Says in the words of <c>config.json</c> what a GGUF file's metadata and tensors say of its model. Keys of the architecture that are not known are
/// refused, as they could change a result.
/// </summary>
internal sealed class GgufConfig
{
    private const int MostElements = 1 << 20;
    private const int MostTokens = 1 << 24;
    private const string ArchitectureKey = "general.architecture";

    private readonly GgufFile _file;
    private readonly string _architecture;
    private readonly HashSet<string> _known = new(StringComparer.Ordinal);

    /// <summary>Reads the metadata.</summary>
    /// <exception cref="ModelFormatException">A key is missing, out of range, unknown, or asks for what the engine does not compute.</exception>
    public GgufConfig(GgufFile file)
    {
        _file = file;
        _architecture = file.Require(ArchitectureKey).Text();
        Family = GgufFamily.All.TryGetValue(_architecture, out GgufFamily? family)
            ? family
            : throw file.Require(ArchitectureKey).Fault($"is {_architecture}; supported are {string.Join(", ", GgufFamily.All.Keys)}.");
        int hidden = Int("embedding_length", 1, MostElements), heads = Int("attention.head_count", 1, MostElements);
        HeadDim = OptionalInt("attention.key_length", 2, MostElements) ?? (hidden % heads == 0
            ? hidden / heads
            : throw Fault("embedding_length", $"is {hidden} but must be a multiple of attention.head_count, {heads}, where there is no attention.key_length."));
        Must("attention.value_length", HeadDim);
        Must("rope.dimension_count", HeadDim);
        int context = Int("context_length", 1, MostTokens);
        JsonObject json = new()
        {
            ["architectures"] = new JsonArray(Family.Architecture),
            ["model_type"] = Family.ModelType,
            ["hidden_size"] = hidden,
            ["num_attention_heads"] = heads,
            ["num_key_value_heads"] = OptionalInt("attention.head_count_kv", 1, MostElements) ?? heads,
            ["num_hidden_layers"] = Int("block_count", 1, MostElements),
            ["intermediate_size"] = Int("feed_forward_length", 1, MostElements),
            ["max_position_embeddings"] = context,
            ["rms_norm_eps"] = Number("attention.layer_norm_rms_epsilon", null),
            ["rope_theta"] = Number("rope.freq_base", 10_000),
            ["vocab_size"] = Vocabulary(),
            ["tie_word_embeddings"] = !file.Tensors.ContainsKey("output.weight"),
            ["hidden_act"] = "silu",
        };
        if (_architecture != "qwen2")
            json["head_dim"] = HeadDim;
        else
            Must("attention.key_length", hidden / heads);
        if (_architecture == "llama")
            AddBiases(json);
        if (Scaling(context, json) is { } scaling)
            json["rope_scaling"] = scaling;
        RefuseUnknown();
        Json = JsonSerializer.SerializeToElement(json);
    }

    /// <summary>The file's architecture.</summary>
    public GgufFamily Family { get; }

    /// <summary>Elements of a head.</summary>
    public int HeadDim { get; }

    /// <summary>The properties of <c>config.json</c>.</summary>
    public JsonElement Json { get; }

    private int Vocabulary()
    {
        if (!_file.Tensors.TryGetValue("token_embd.weight", out GgufTensor? embedding) || embedding.Shape.Length != 2)
            throw new ModelFormatException(_file.Path, "token_embd.weight", "is required, of two dimensions.");
        Must("vocab_size", (int)embedding.Shape[0]);
        return (int)embedding.Shape[0];
    }

    private void AddBiases(JsonObject json)
    {
        bool isBiased = _file.Tensors.ContainsKey(GgufNames.First("attn_q.bias"));
        if (isBiased && !_file.Tensors.ContainsKey(GgufNames.First("attn_output.bias")))
            throw new ModelFormatException(_file.Path, GgufNames.First("attn_q.bias"), "stands without attn_output.bias, which the architecture llama does not have.");
        json["attention_bias"] = isBiased;
        json["mlp_bias"] = _file.Tensors.ContainsKey(GgufNames.First("ffn_gate.bias"));
    }

    // Llama 3's stretching is written down as the factor of each frequency: it is known by its result.
    private JsonObject? Scaling(int context, JsonObject json)
    {
        string type = Find("rope.scaling.type")?.Text() ?? "none";
        double? factor = Find("rope.scaling.factor")?.Number();
        int? original = OptionalInt("rope.scaling.original_context_length", 1, MostTokens);
        _ = Find("rope.scaling.finetuned")?.Flag();
        if (_file.Tensors.TryGetValue(GgufNames.RotaryFactors, out GgufTensor? factors))
        {
            return type == "none" || factor is null or 1
                ? RotaryFactors.Read(_file.Path, factors, HeadDim, json["rope_theta"]!.GetValue<double>())
                : throw Fault("rope.scaling.type", $"stands beside the tensor {GgufNames.RotaryFactors}: one of them is enough.");
        }

        return type switch
        {
            "none" => null,
            "linear" when factor is null or 1 => null,
            "linear" => new JsonObject { ["rope_type"] = "linear", ["factor"] = factor },
            "yarn" => new JsonObject
            {
                ["rope_type"] = "yarn",
                ["factor"] = factor ?? throw Fault("rope.scaling.factor", "is required with the type yarn."),
                ["original_max_position_embeddings"] = original ?? context,
            },
            _ => throw Fault("rope.scaling.type", $"is {type}; supported are none, linear and yarn."),
        };
    }

    private void RefuseUnknown()
    {
        foreach (string known in (string[])["tensor_data_layout", "attention.causal"])
            _known.Add($"{_architecture}.{known}");
        if (_file.Find($"{_architecture}.attention.causal") is { } causal && !causal.Flag())
            throw causal.Fault("must be true.");
        foreach ((string key, GgufValue value) in _file.Metadata)
        {
            if (key.StartsWith(_architecture + ".", StringComparison.Ordinal) && !_known.Contains(key))
                throw value.Fault($"is {value.Shown}; it is not known of the architecture {_architecture}, and could change what the model computes.");
        }
    }

    private GgufValue? Find(string name)
    {
        _known.Add($"{_architecture}.{name}");
        return _file.Find($"{_architecture}.{name}");
    }

    private int Int(string name, int least, int most) =>
        OptionalInt(name, least, most) ?? throw new ModelFormatException(_file.Path, $"{_architecture}.{name}", "is required.");

    private int? OptionalInt(string name, int least, int most) => Find(name)?.Int(least, most);

    private double Number(string name, double? otherwise) =>
        Find(name)?.Number() ?? otherwise ?? throw new ModelFormatException(_file.Path, $"{_architecture}.{name}", "is required.");

    private void Must(string name, int wanted)
    {
        if (Find(name) is { } value && value.Int(1, MostTokens) is int number && number != wanted)
            throw value.Fault($"is {number}; supported is {wanted} only, as the other keys and tensors make it.");
    }

    private ModelFormatException Fault(string name, string rule) => new(_file.Path, $"{_architecture}.{name}", rule);
}
