namespace KvTiers.Inference.Model;

/// <summary>
/// Turns <c>config.json</c> into a <see cref="ModelConfig"/>. A property that would change a result and that the engine does not compute, or that it does
/// not know, is refused, never ignored.
/// </summary>
internal static partial class ModelConfigReader
{
    private const int MostLayers = 1_024;
    private const int MostElements = 1 << 20;
    private const int MostTokens = 1 << 24;

    private static readonly Dictionary<string, ModelFamily> Families = new(StringComparer.Ordinal)
    {
        ["LlamaForCausalLM"] = new("llama", Llama),
        ["MistralForCausalLM"] = new("mistral", Mistral),
        ["MinistralForCausalLM"] = new("ministral", Ministral),
        ["Qwen2ForCausalLM"] = new("qwen2", Qwen2),
        ["Qwen3ForCausalLM"] = new("qwen3", Qwen3),
        ["SmolLM3ForCausalLM"] = new("smollm3", SmolLM3, "max_window_layers"),
        ["Gemma2ForCausalLM"] = new("gemma2", Gemma2),
        ["Gemma3ForCausalLM"] = new("gemma3_text", Gemma3),
        ["Gemma3ForConditionalGeneration"] = new(
            "gemma3", Gemma3WithVision, "boi_token_id", "boi_token_index", "eoi_token_id", "eoi_token_index", "image_token_id", "image_token_index", "mm_tokens_per_image",
            "vision_config"),
        ["Phi3ForCausalLM"] = new("phi3", Phi3, "auto_map", "embd_pdrop", "resid_pdrop"),
        ["GraniteForCausalLM"] = new("granite", Granite),
        ["Olmo2ForCausalLM"] = new("olmo2", Olmo2),
        ["StableLmForCausalLM"] = new("stablelm", StableLm),
        ["GPTNeoXForCausalLM"] = new("gpt_neox", GptNeoX, "attention_probs_dropout_prob", "hidden_dropout_prob"),
        ["GPT2LMHeadModel"] = new(
            "gpt2", Gpt2, "attn_pdrop", "embd_pdrop", "n_ctx", "reorder_and_upcast_attn", "resid_pdrop", "summary_activation", "summary_first_dropout",
            "summary_proj_to_labels", "summary_type", "summary_use_proj"),
        ["MixtralForCausalLM"] = new("mixtral", Mixtral, "output_router_logits", "router_aux_loss_coef", "router_jitter_noise"),
        ["Qwen3MoeForCausalLM"] = new("qwen3_moe", Qwen3Moe, "output_router_logits", "router_aux_loss_coef", "max_window_layers"),
        ["OlmoeForCausalLM"] = new("olmoe", Olmoe, "output_router_logits", "router_aux_loss_coef"),
    };

    // Said by some files of any architecture, and computed this way only.
    private static readonly (string Name, bool Value)[] AsComputed =
    [
        ("add_cross_attention", false),
        ("is_causal", true),
        ("is_encoder_decoder", false),
        ("is_llama_config", true),
        ("lm_head_bias", false),
        ("rope_interleaved", false),
        ("tie_encoder_decoder", false),
        ("use_bidirectional_attention", false),
        ("use_mrope", false),
    ];

    /// <summary>The architectures, by name.</summary>
    public static IReadOnlyCollection<string> Architectures => Families.Keys;

    public static ModelConfig Read(JsonProperties json)
    {
        string architecture = Architecture(json);
        ModelFamily family = Families[architecture];
        if (json.Has("quantization_config"))
            throw json.Fault("quantization_config", "is not supported.");
        if (json.Has("auto_map") && !family.Harmless.Contains("auto_map"))
            throw json.Fault("auto_map", "is not supported: the model brings code of its own.");
        RequireAsComputed(json);
        ModelConfig config = family.Read(json, architecture);
        if (config.Heads % config.KvHeads != 0)
            throw json.Fault("num_key_value_heads", $"is {config.KvHeads} but must divide the number of heads, {config.Heads}.");
        json.RequireAllRead(architecture, [.. HarmlessProperties.Names, .. family.Harmless]);
        return config;
    }

    private static string Architecture(JsonProperties json)
    {
        if (json.Texts("architectures") is { } names)
        {
            string name = names.Length == 1 ? names[0] : throw json.Fault("architectures", "must name one architecture.");
            return Families.ContainsKey(name) ? name : throw json.Fault("architectures", $"is {name}; supported are {string.Join(", ", Families.Keys)}.");
        }
        string type = json.Text("model_type") ?? throw json.Fault("architectures", "is required.");
        foreach ((string name, ModelFamily family) in Families)
        {
            if (family.ModelType == type)
                return name;
        }
        throw json.Fault("model_type", $"is {type}, which is not supported.");
    }

    private static void RequireAsComputed(JsonProperties json)
    {
        foreach ((string name, bool value) in AsComputed)
            MustBe(json, name, value);
        json.Object("pruned_heads")?.RequireAllRead("pruned_heads");
    }

    /// <summary>What nearly all architectures call the same: full attention in every layer, all turned alike.</summary>
    private static ModelConfig Base(JsonProperties json, string architecture, FamilyDefaults defaults)
    {
        int hidden = json.Int("hidden_size", 1, MostElements);
        int heads = json.Int("num_attention_heads", 1, MostElements, defaults.Heads);
        int? given = defaults.NamesHeadDim && json.Has("head_dim") ? json.Int("head_dim", 2, MostElements) : defaults.HeadDim;
        if (given is null && hidden % heads != 0)
        {
            string rule = $"is {hidden} but must be a multiple of num_attention_heads, {heads}{(defaults.NamesHeadDim ? ", when head_dim is not given" : "")}.";
            throw json.Fault("hidden_size", rule);
        }
        int headDim = given ?? hidden / heads;
        int layers = json.Int("num_hidden_layers", 1, MostLayers);
        int context = json.Int("max_position_embeddings", 1, MostTokens, defaults.ContextLength);
        RotaryConfig rotary = Rotary(json, defaults, headDim, context);
        return new ModelConfig
        {
            Architecture = architecture,
            Layers = layers,
            Heads = heads,
            KvHeads = defaults.NamesKvHeads ? KvHeads(json, defaults, heads) : heads,
            HeadDim = headDim,
            Hidden = hidden,
            Intermediate = json.Int("intermediate_size", 1, MostElements),
            Vocabulary = json.Int("vocab_size", 1, MostTokens, defaults.Vocabulary),
            ContextLength = context,
            NormEpsilon = (float)json.Number(defaults.EpsilonName, 0, defaults.Epsilon),
            Activation = Activation(json, defaults.ActivationName, defaults.Activation),
            TiedEmbeddings = json.Flag("tie_word_embeddings", defaults.IsTied),
            LayerConfigs = [.. Enumerable.Repeat(new LayerConfig(Rotary: rotary), layers)],
        };
    }

    // As null they are as many as query heads, whatever leaving them out means.
    private static int KvHeads(JsonProperties json, FamilyDefaults defaults, int heads) =>
        json.Int("num_key_value_heads", 1, MostElements, defaults.KvHeadsAreHeads || json.IsGiven("num_key_value_heads") ? heads : defaults.KvHeads);

    private static ActivationKind Activation(JsonProperties json, string name, string usual) => (json.Text(name) ?? usual) switch
    {
        "silu" or "swish" => ActivationKind.Silu,
        "gelu_new" or "gelu_pytorch_tanh" or "gelu_fast" => ActivationKind.GeluTanh,
        "gelu" => ActivationKind.Gelu,
        "relu2" => ActivationKind.Relu2,
        string other => throw json.Fault(name, $"is {other}; supported: silu, gelu, gelu_new, gelu_pytorch_tanh, gelu_fast, relu2."),
    };

    // A property that the architecture does not have, or that the engine computes one way only.
    private static void MustBe(JsonProperties json, string name, bool value)
    {
        if (json.Flag(name, value) != value)
            throw json.Fault(name, $"must be {(value ? "true" : "false")}.");
    }

    private static float? Cap(JsonProperties json, string name, double? usual) =>
        json.IsGiven(name) ? json.Has(name) ? (float)json.Number(name, 0) : null : (float?)usual;

    // One of two names for the same number.
    private static string Either(JsonProperties json, string first, string second)
    {
        if (json.Has(first) && json.Has(second))
            throw json.Fault(second, $"stands beside {first}, which means the same.");
        return json.Has(second) ? second : first;
    }
}
