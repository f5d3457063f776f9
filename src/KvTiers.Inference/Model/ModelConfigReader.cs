namespace KvTiers.Inference.Model;

/// <summary>
/// Turns <c>config.json</c> into a <see cref="ModelConfig"/>. A property that would change a result and that the engine does not
/// compute is refused, never ignored.
/// </summary>
internal static class ModelConfigReader
{
    private const int MostLayers = 1_024;
    private const int MostElements = 1 << 20;
    private const int MostTokens = 1 << 24;

    public static ModelConfig Read(string path)
    {
        JsonProperties json = JsonProperties.ReadFile(path);
        foreach (string unsupported in (string[])["quantization_config", "auto_map"])
        {
            if (json.Has(unsupported))
                throw json.Fault(unsupported, "is not supported.");
        }
        ModelConfig config = Architecture(json) switch
        {
            "LlamaForCausalLM" or "MistralForCausalLM" => Llama(json, biased: false, windowed: true),
            "Qwen2ForCausalLM" => Qwen2(json),
            "GPT2LMHeadModel" => Gpt2(json),
            string other => throw json.Fault(
                "architectures", $"is {other}; supported are LlamaForCausalLM, MistralForCausalLM, Qwen2ForCausalLM and GPT2LMHeadModel."),
        };
        if (config.Heads % config.KvHeads != 0)
            throw json.Fault("num_key_value_heads", $"is {config.KvHeads} but must divide the number of heads, {config.Heads}.");
        return config;
    }

    private static string Architecture(JsonProperties json)
    {
        if (json.Texts("architectures") is { } names)
            return names.Length == 1 ? names[0] : throw json.Fault("architectures", "must name one architecture.");
        return json.Text("model_type") switch
        {
            "llama" => "LlamaForCausalLM",
            "mistral" => "MistralForCausalLM",
            "qwen2" => "Qwen2ForCausalLM",
            "gpt2" => "GPT2LMHeadModel",
            null => throw json.Fault("architectures", "is required."),
            string other => throw json.Fault("model_type", $"is {other}, which is not supported."),
        };
    }

    private static ModelConfig Llama(JsonProperties json, bool biased, bool windowed)
    {
        int hidden = json.Int("hidden_size", 1, MostElements);
        int heads = json.Int("num_attention_heads", 1, MostElements);
        if (!json.Has("head_dim") && hidden % heads != 0)
            throw json.Fault("hidden_size", $"is {hidden} but must be a multiple of num_attention_heads, {heads}, when head_dim is not given.");
        int headDim = json.Int("head_dim", 2, MostElements, hidden / heads);
        if (headDim % 2 != 0)
            throw json.Fault("head_dim", $"is {headDim} but must be even: rotary positions turn pairs.");
        Only(json, "hidden_act", "silu");
        if (json.Number("partial_rotary_factor", 0, 1) != 1)
            throw json.Fault("partial_rotary_factor", "must be 1: rotating a part of a head is not supported.");
        int layers = json.Int("num_hidden_layers", 1, MostLayers);
        (double theta, RopeScaling? scaling) = Rope(json);
        (int? window, int firstWindowed) = Window(json, layers, windowed);
        bool bias = json.Flag("attention_bias", biased);
        return new ModelConfig
        {
            Architecture = ModelArchitecture.Llama,
            Layers = layers,
            Heads = heads,
            KvHeads = json.Int("num_key_value_heads", 1, MostElements, heads),
            HeadDim = headDim,
            Hidden = hidden,
            Intermediate = json.Int("intermediate_size", 1, MostElements),
            Vocabulary = json.Int("vocab_size", 1, MostTokens),
            ContextLength = json.Int("max_position_embeddings", 1, MostTokens, 2_048),
            NormEpsilon = (float)json.Number("rms_norm_eps", 0, 1e-6),
            TiedEmbeddings = json.Flag("tie_word_embeddings", false),
            QkvBias = bias,
            OutputBias = bias,
            FeedForwardBias = json.Flag("mlp_bias", false),
            RopeTheta = theta,
            RopeScaling = scaling,
            SlidingWindow = window,
            FirstWindowedLayer = firstWindowed,
        };
    }

    // Qwen2's biases are part of the architecture: on queries, keys and values, and nowhere else. Its window is off unless switched on.
    private static ModelConfig Qwen2(JsonProperties json) => Llama(json, biased: true, windowed: false) with { OutputBias = false };

    private static ModelConfig Gpt2(JsonProperties json)
    {
        int hidden = json.Int("n_embd", 1, MostElements);
        int heads = json.Int("n_head", 1, MostElements);
        if (hidden % heads != 0)
            throw json.Fault("n_embd", $"is {hidden} but must be a multiple of n_head, {heads}.");
        Only(json, "activation_function", "gelu_new", "gelu_pytorch_tanh");
        if (!json.Flag("scale_attn_weights", true))
            throw json.Fault("scale_attn_weights", "must be true.");
        if (json.Flag("scale_attn_by_inverse_layer_idx", false))
            throw json.Fault("scale_attn_by_inverse_layer_idx", "must be false.");
        if (json.Flag("add_cross_attention", false))
            throw json.Fault("add_cross_attention", "must be false.");
        return new ModelConfig
        {
            Architecture = ModelArchitecture.Gpt2,
            Layers = json.Int("n_layer", 1, MostLayers),
            Heads = heads,
            KvHeads = heads,
            HeadDim = hidden / heads,
            Hidden = hidden,
            Intermediate = json.Int("n_inner", 1, MostElements, 4 * hidden),
            Vocabulary = json.Int("vocab_size", 1, MostTokens),
            ContextLength = json.Int("n_positions", 1, MostTokens, json.Int("n_ctx", 1, MostTokens, 1_024)),
            NormEpsilon = (float)json.Number("layer_norm_epsilon", 0, 1e-5),
            TiedEmbeddings = json.Flag("tie_word_embeddings", true),
            QkvBias = true,
            OutputBias = true,
            FeedForwardBias = true,
        };
    }

    // Older files have rope_theta and rope_scaling side by side, newer ones both in rope_parameters.
    private static (double Theta, RopeScaling? Scaling) Rope(JsonProperties json)
    {
        JsonProperties? parameters = json.Object("rope_parameters");
        double theta = parameters is { } newer && newer.Has("rope_theta") ? newer.Number("rope_theta", 0) : json.Number("rope_theta", 0, 10_000);
        if ((parameters ?? json.Object("rope_scaling")) is not { } rope)
            return (theta, null);
        string name = rope.Has("rope_type") ? "rope_type" : "type";
        if (rope.Has("partial_rotary_factor") && rope.Number("partial_rotary_factor", 0) != 1)
            throw rope.Fault("partial_rotary_factor", "must be 1: rotating a part of a head is not supported.");
        switch (rope.Text(name))
        {
            case "default":
                return (theta, null);
            case null when parameters is not null:
                return (theta, null);
            case "linear":
                return (theta, new RopeScaling.Linear(rope.Number("factor", 0)));
            case "llama3":
                RopeScaling.Llama3 llama3 = new(
                    rope.Number("factor", 0),
                    rope.Number("low_freq_factor", 0),
                    rope.Number("high_freq_factor", 0),
                    rope.Int("original_max_position_embeddings", 1, MostTokens));
                if (llama3.HighFrequencyFactor <= llama3.LowFrequencyFactor)
                    throw rope.Fault("high_freq_factor", $"is {llama3.HighFrequencyFactor} but must be above low_freq_factor, {llama3.LowFrequencyFactor}.");
                return (theta, llama3);
            case null:
                throw rope.Fault("rope_type", "is required.");
            case string other:
                throw rope.Fault(name, $"is {other}; supported are default, linear and llama3.");
        }
    }

    // Which layers are windowed: layer_types where it is given, else those from max_window_layers on, else all.
    private static (int? Window, int FirstLayer) Window(JsonProperties json, int layers, bool windowed)
    {
        bool on = json.Flag("use_sliding_window", windowed);
        int? window = on && json.Has("sliding_window") ? json.Int("sliding_window", 1, int.MaxValue) : null;
        if (json.Texts("layer_types") is { } types)
        {
            if (types.Length != layers)
                throw json.Fault("layer_types", $"has {types.Length} entries but must have num_hidden_layers, {layers}.");
            int first = Array.IndexOf(types, "sliding_attention");
            first = first < 0 ? layers : first;
            for (int layer = 0; layer < layers; layer++)
            {
                if (types[layer] != (layer < first ? "full_attention" : "sliding_attention"))
                    throw json.Fault("layer_types", $"has {types[layer]} at {layer}; supported are full_attention layers followed by sliding_attention layers.");
            }
            if (first == layers)
                return (null, 0);
            return window is null ? throw json.Fault("sliding_window", "is required by layer_types.") : (window, first);
        }
        if (window is null)
            return (null, 0);
        int firstLayer = json.Has("use_sliding_window") ? json.Int("max_window_layers", 0, int.MaxValue, 28) : 0;
        return firstLayer >= layers ? (null, 0) : (window, firstLayer);
    }

    private static void Only(JsonProperties json, string name, params ReadOnlySpan<string> supported)
    {
        string value = json.Text(name) ?? supported[0];
        if (!supported.Contains(value))
            throw json.Fault(name, $"is {value}; supported: {string.Join(", ", supported!)}.");
    }
}
