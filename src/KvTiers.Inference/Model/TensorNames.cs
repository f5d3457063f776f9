namespace KvTiers.Inference.Model;

/// <summary>What an architecture's files call its tensors, and how they lay out those that are one product here. Names of layers follow <see cref="Layer"/> and the layer's number.</summary>
internal sealed record TensorNames
{
    /// <summary>Before every name but <see cref="Output"/>.</summary>
    public string Prefix { get; init; } = "model.";

    /// <summary>[vocabulary, hidden].</summary>
    public string Embedding { get; init; } = "embed_tokens.weight";

    /// <summary>[contextLength, hidden], of models that learn positions.</summary>
    public string Positions { get; init; } = "";

    /// <summary>The last norm.</summary>
    public string FinalNorm { get; init; } = "norm";

    /// <summary>[vocabulary, hidden]; its name as a whole.</summary>
    public string Output { get; init; } = "lm_head.weight";

    /// <summary>Before a layer's number.</summary>
    public string Layer { get; init; } = "layers.";

    /// <summary>Norm before attention.</summary>
    public string AttentionNorm { get; init; } = "input_layernorm";

    /// <summary>Norm after attention.</summary>
    public string PostAttentionNorm { get; init; } = "post_attention_layernorm";

    /// <summary>Norm before the feed-forward layer.</summary>
    public string FeedForwardNorm { get; init; } = "post_attention_layernorm";

    /// <summary>Norm after it.</summary>
    public string PostFeedForwardNorm { get; init; } = "post_feedforward_layernorm";

    /// <summary>Queries, keys and values: three matrices, or one.</summary>
    public string[] Qkv { get; init; } = ["self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"];

    /// <summary>One matrix holds query, key and value of a head, then those of the next head.</summary>
    public bool IsQkvByHead { get; init; }

    /// <summary>Norms of queries and of keys.</summary>
    public string QueryNorm { get; init; } = "self_attn.q_norm";

    /// <summary>Norms of queries and of keys.</summary>
    public string KeyNorm { get; init; } = "self_attn.k_norm";

    /// <summary>After attention.</summary>
    public string AttentionOutput { get; init; } = "self_attn.o_proj";

    /// <summary>Into the feed-forward layer: gate and up, both in one matrix, or up alone.</summary>
    public string[] Up { get; init; } = ["mlp.gate_proj", "mlp.up_proj"];

    /// <summary>Out of it.</summary>
    public string Down { get; init; } = "mlp.down_proj";

    /// <summary>Scores of experts.</summary>
    public string Router { get; init; } = "mlp.gate";

    /// <summary>Before an expert's number.</summary>
    public string Expert { get; init; } = "mlp.experts.";

    /// <summary>Into an expert: gate and up.</summary>
    public string[] ExpertUp { get; init; } = ["gate_proj", "up_proj"];

    /// <summary>Out of it.</summary>
    public string ExpertDown { get; init; } = "down_proj";

    /// <summary>Matrices are [inputs, outputs].</summary>
    public bool IsTransposed { get; init; }

    /// <summary>Endings of tensors that older files carry and that mean nothing: masks and rotary frequencies.</summary>
    public string[] Harmless { get; init; } = [".rotary_emb.inv_freq"];

    /// <summary>Beginnings of tensors of other halves of the model: of what sees.</summary>
    public string[] Unseen { get; init; } = [];

    /// <summary>Those of an architecture.</summary>
    /// <param name="architecture">Its name.</param>
    /// <param name="files">The model's tensors.</param>
    public static TensorNames Of(string architecture, WeightFiles files) => architecture switch
    {
        "GPT2LMHeadModel" => new TensorNames
        {
            // The first published files name the tensors of the bare model.
            Prefix = files.Has("transformer.wte.weight") ? "transformer." : "",
            Embedding = "wte.weight",
            Positions = "wpe.weight",
            FinalNorm = "ln_f",
            Layer = "h.",
            AttentionNorm = "ln_1",
            Qkv = ["attn.c_attn"],
            AttentionOutput = "attn.c_proj",
            FeedForwardNorm = "ln_2",
            Up = ["mlp.c_fc"],
            Down = "mlp.c_proj",
            IsTransposed = true,
            Harmless = [".attn.bias", ".attn.masked_bias"],
        },
        "GPTNeoXForCausalLM" => new TensorNames
        {
            Prefix = "gpt_neox.",
            Embedding = "embed_in.weight",
            FinalNorm = "final_layer_norm",
            Output = "embed_out.weight",
            Qkv = ["attention.query_key_value"],
            IsQkvByHead = true,
            AttentionOutput = "attention.dense",
            Up = ["mlp.dense_h_to_4h"],
            Down = "mlp.dense_4h_to_h",
            Harmless = [".attention.bias", ".attention.masked_bias", ".rotary_emb.inv_freq"],
        },
        "StableLmForCausalLM" => new TensorNames { QueryNorm = "self_attn.q_layernorm.norms.", KeyNorm = "self_attn.k_layernorm.norms." },
        "Phi3ForCausalLM" => new TensorNames { Qkv = ["self_attn.qkv_proj"], Up = ["mlp.gate_up_proj"] },
        "Gemma3ForConditionalGeneration" => new TensorNames
        {
            // Older files have the text half's own names inside; newer ones the whole model's.
            Prefix = files.Has("language_model.model.embed_tokens.weight") ? "language_model.model." : "model.language_model.",
            FeedForwardNorm = "pre_feedforward_layernorm",
            Unseen = ["vision_tower.", "multi_modal_projector.", "model.vision_tower.", "model.multi_modal_projector."],
        },
        "Gemma2ForCausalLM" or "Gemma3ForCausalLM" => new TensorNames { FeedForwardNorm = "pre_feedforward_layernorm" },
        "MixtralForCausalLM" => new TensorNames
        {
            Router = "block_sparse_moe.gate",
            Expert = "block_sparse_moe.experts.",
            ExpertUp = ["w1", "w3"],
            ExpertDown = "w2",
        },
        _ => new TensorNames(),
    };
}
