namespace KvTiers.Inference.Model;

/// <content>The architectures: what each says beyond what all say.</content>
internal static partial class ModelConfigReader
{
    private static ModelConfig Llama(JsonProperties json, string architecture) =>
        WithBiases(json, Base(json, architecture, new FamilyDefaults { ContextLength = 2_048 }));

    private static ModelConfig Mistral(JsonProperties json, string architecture)
    {
        NoBiases(json);
        ModelConfig config = Base(json, architecture, new FamilyDefaults { KvHeadsAreHeads = false });
        return WithWindow(config, Window(json, 4_096), _ => true);
    }

    private static ModelConfig Ministral(JsonProperties json, string architecture)
    {
        NoBiases(json);
        ModelConfig config = Base(json, architecture, new FamilyDefaults { KvHeadsAreHeads = false });
        return WithLayerTypes(json, config, Window(json, 4_096), _ => true);
    }

    // Biases are part of the architecture: on queries, keys and values, and nowhere else.
    private static ModelConfig Qwen2(JsonProperties json, string architecture) =>
        WithSwitchedWindow(json, Base(json, architecture, new FamilyDefaults { KvHeadsAreHeads = false }) with { QkvBias = true });

    private static ModelConfig Qwen3(JsonProperties json, string architecture)
    {
        ModelConfig config = Base(json, architecture, new FamilyDefaults { KvHeadsAreHeads = false, HeadDim = 128 });
        return WithSwitchedWindow(json, WithAttentionBias(json, config with { QueryKeyNorm = QueryKeyNorm.Head }));
    }

    private static ModelConfig SmolLM3(JsonProperties json, string architecture)
    {
        ModelConfig config = WithBiases(json, Base(json, architecture, new FamilyDefaults { KvHeadsAreHeads = false, IsTied = true, Theta = 2_000_000 }));
        int interval = json.Int("no_rope_layer_interval", 1, MostLayers, 4);
        int[]? turned = json.Ints("no_rope_layers", 0, 1);
        if (turned is not null && turned.Length < config.Layers)
            throw json.Fault("no_rope_layers", $"has {turned.Length} entries but must have num_hidden_layers, {config.Layers}.");
        config = config with
        {
            LayerConfigs = [.. config.LayerConfigs.Select((layer, i) =>
                (turned is null ? (i + 1) % interval != 0 : turned[i] == 1) ? layer : layer with { Rotary = null })],
        };
        int? window = json.Flag("use_sliding_window", false) ? Window(json, null) : IgnoredWindow(json);
        return WithLayerTypes(json, config, window, i => config.LayerConfigs[i].Rotary is null);
    }

    private static ModelConfig Gemma2(JsonProperties json, string architecture)
    {
        ModelConfig config = Gemma(json, Base(json, architecture, GemmaDefaults)) with
        {
            AttentionCap = Cap(json, "attn_logit_softcapping", 50),
            LogitCap = Cap(json, "final_logit_softcapping", 30),
        };
        return WithLayerTypes(json, config, Window(json, 4_096), i => i % 2 == 0);
    }

    private static ModelConfig Gemma3(JsonProperties json, string architecture)
    {
        ModelConfig config = Gemma(json, Base(json, architecture, Gemma3Defaults)) with
        {
            QueryKeyNorm = QueryKeyNorm.Head,
            AttentionCap = Cap(json, "attn_logit_softcapping", null),
            LogitCap = Cap(json, "final_logit_softcapping", null),
        };
        int pattern = json.Int(Either(json, "sliding_window_pattern", "_sliding_window_pattern"), 1, MostLayers, 6);
        config = WithLayerTypes(json, config, Window(json, 4_096), i => (i + 1) % pattern != 0);
        RotaryConfig local = LocalRotary(json, config.HeadDim, config.ContextLength);
        return config with
        {
            LayerConfigs = [.. config.LayerConfigs.Select(layer => layer.Window is null ? layer : layer with { Rotary = local })],
        };
    }

    // The text half of a model that also sees, whose files leave out much of it.
    private static ModelConfig Gemma3WithVision(JsonProperties json, string architecture)
    {
        JsonProperties text = json.Object("text_config") ?? throw json.Fault("text_config", "is required.");
        RequireAsComputed(text);
        MustBe(json, "tie_word_embeddings", true);
        ModelConfig config = Gemma3(text, architecture);
        text.RequireAllRead(architecture, HarmlessProperties.Names);
        return config.TiedEmbeddings ? config : throw text.Fault("tie_word_embeddings", "must be true.");
    }

    private static readonly FamilyDefaults GemmaDefaults = new()
    {
        KvHeadsAreHeads = false,
        HeadDim = 256,
        IsTied = true,
        ActivationName = "hidden_activation",
        Activation = "gelu_pytorch_tanh",
    };

    private static readonly FamilyDefaults Gemma3Defaults = GemmaDefaults with
    {
        Theta = 1_000_000,
        HasRotaryByLayerType = true,
        Heads = 8,
        KvHeads = 4,
        Vocabulary = 262_208,
        ContextLength = 131_072,
    };

    private static ModelConfig Gemma(JsonProperties json, ModelConfig config)
    {
        // An older name for the activation, which the newer one overrides.
        _ = Activation(json, "hidden_act", "gelu_pytorch_tanh");
        return WithAttentionBias(json, config) with
        {
            NormWeightsLessOne = true,
            NormPlacement = NormPlacement.Around,
            EmbeddingScale = MathF.Sqrt(config.Hidden),
            AttentionScale = (float)(1 / Math.Sqrt(json.Number("query_pre_attn_scalar", 0, 256))),
        };
    }

    private static ModelConfig Phi3(JsonProperties json, string architecture)
    {
        NoBiases(json);
        foreach (string name in (string[])["full_attn_mod", "interpolate_factor"])
            json.Int(name, 1, 1, 1);
        ModelConfig config = Base(json, architecture, new FamilyDefaults { ContextLength = 4_096, Epsilon = 1e-5, Partial = 1 });
        json.Int("original_max_position_embeddings", 1, MostTokens, 4_096);
        return WithWindow(config, Window(json, null), _ => true);
    }

    private static ModelConfig Granite(JsonProperties json, string architecture) =>
        WithBiases(json, Base(json, architecture, new FamilyDefaults { ContextLength = 2_048 })) with
        {
            EmbeddingScale = (float)json.Number("embedding_multiplier", 0, 1),
            ResidualScale = (float)json.Number("residual_multiplier", 0, 1),
            AttentionScale = (float)json.Number("attention_multiplier", 0, 1),
            LogitScale = (float)(1 / json.Number("logits_scaling", 0, 1)),
        };

    private static ModelConfig Olmo2(JsonProperties json, string architecture) =>
        WithAttentionBias(json, Base(json, architecture, new FamilyDefaults { ContextLength = 2_048, Epsilon = 1e-5 })) with
        {
            NormPlacement = NormPlacement.After,
            QueryKeyNorm = QueryKeyNorm.Whole,
        };

    private static ModelConfig StableLm(JsonProperties json, string architecture)
    {
        FamilyDefaults defaults = new()
        {
            NamesHeadDim = false,
            KvHeadsAreHeads = false,
            ContextLength = 4_096,
            EpsilonName = "layer_norm_eps",
            Epsilon = 1e-5,
            Partial = 0.25,
        };
        return Base(json, architecture, defaults) with
        {
            Norm = NormKind.Layer,
            QkvBias = json.Flag("use_qkv_bias", false),
            QueryKeyNorm = json.Flag("qk_layernorm", false) ? QueryKeyNorm.EachHead : QueryKeyNorm.None,
            Residual = json.Flag("use_parallel_residual", false) ? ResidualKind.ParallelSharedNorm : ResidualKind.Sequential,
        };
    }

    private static ModelConfig GptNeoX(JsonProperties json, string architecture)
    {
        FamilyDefaults defaults = new()
        {
            NamesHeadDim = false,
            NamesKvHeads = false,
            ContextLength = 2_048,
            EpsilonName = "layer_norm_eps",
            Epsilon = 1e-5,
            Activation = "gelu",
            ThetaName = Either(json, "rotary_emb_base", "rope_theta"),
            PartialName = Either(json, "rotary_pct", "partial_rotary_factor"),
            Partial = 0.25,
        };
        bool isBiased = json.Flag("attention_bias", true);
        return Base(json, architecture, defaults) with
        {
            Norm = NormKind.Layer,
            QkvBias = isBiased,
            OutputBias = isBiased,
            FeedForwardBias = true,
            IsGated = false,
            Residual = json.Flag("use_parallel_residual", true) ? ResidualKind.Parallel : ResidualKind.Sequential,
        };
    }

    private static ModelConfig Gpt2(JsonProperties json, string architecture)
    {
        int hidden = json.Int("n_embd", 1, MostElements);
        int heads = json.Int("n_head", 1, MostElements);
        if (hidden % heads != 0)
            throw json.Fault("n_embd", $"is {hidden} but must be a multiple of n_head, {heads}.");
        MustBe(json, "scale_attn_weights", true);
        MustBe(json, "scale_attn_by_inverse_layer_idx", false);
        int layers = json.Int("n_layer", 1, MostLayers);
        return new ModelConfig
        {
            Architecture = architecture,
            Layers = layers,
            Heads = heads,
            KvHeads = heads,
            HeadDim = hidden / heads,
            Hidden = hidden,
            Intermediate = json.Int("n_inner", 1, MostElements, 4 * hidden),
            Vocabulary = json.Int("vocab_size", 1, MostTokens),
            ContextLength = json.Int("n_positions", 1, MostTokens, json.Int("n_ctx", 1, MostTokens, 1_024)),
            NormEpsilon = (float)json.Number("layer_norm_epsilon", 0, 1e-5),
            TiedEmbeddings = json.Flag("tie_word_embeddings", true),
            LayerConfigs = [.. Enumerable.Repeat(new LayerConfig(), layers)],
            Norm = NormKind.Layer,
            LearnedPositions = true,
            Activation = Activation(json, "activation_function", "gelu_new"),
            IsGated = false,
            QkvBias = true,
            OutputBias = true,
            FeedForwardBias = true,
        };
    }

    private static ModelConfig WithBiases(JsonProperties json, ModelConfig config) =>
        WithAttentionBias(json, config) with { FeedForwardBias = json.Flag("mlp_bias", false) };

    private static ModelConfig WithAttentionBias(JsonProperties json, ModelConfig config)
    {
        bool isBiased = json.Flag("attention_bias", false);
        return config with { QkvBias = isBiased, OutputBias = isBiased };
    }

    private static void NoBiases(JsonProperties json)
    {
        MustBe(json, "attention_bias", false);
        MustBe(json, "mlp_bias", false);
    }
}
