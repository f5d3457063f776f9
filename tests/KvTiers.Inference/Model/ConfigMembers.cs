namespace KvTiers.Inference.Tests.Model;

/// <summary>The members of an architecture's configuration, each as <c>name: value</c>, and what becomes of a committed model's configuration with it.</summary>
/// <param name="Fixture">The committed model.</param>
/// <param name="Changed">Those that make another model of it.</param>
/// <param name="Same">Those that change nothing.</param>
/// <param name="Refused">Those that are refused by name.</param>
internal sealed record ConfigMembers(string Fixture, string[] Changed, string[] Same, string[] Refused)
{
    private static readonly string[] Shape =
    [
        "vocab_size: 97", "hidden_size: 64", "intermediate_size: 50", "num_attention_heads: 8", "max_position_embeddings: 2048", "hidden_act: \"relu2\"",
        "rope_scaling: {\"rope_type\": \"linear\", \"factor\": 3}",
    ];

    private static readonly string[] Rms = ["rms_norm_eps: 0.0001", "head_dim: 8", "num_key_value_heads: 1", "rope_theta: 777"];

    private static readonly string[] Bookkeeping =
    [
        "initializer_range: 0.5", "use_cache: false", "pad_token_id: 1", "bos_token_id: 2", "eos_token_id: [3]", "attention_dropout: 0.3",
        "torch_dtype: \"float16\"", "dtype: \"bfloat16\"", "transformers_version: \"5.0.0\"", "_name_or_path: \"x\"", "model_type: \"anything\"",
        "unknown_but_null: null", "use_mrope: false", "rope_interleaved: false", "is_llama_config: true", "lm_head_bias: false", "is_causal: true", "is_decoder: true",
        "pruned_heads: {}",
    ];

    private static readonly string[] NeverComputed =
    [
        "unknown_factor: 2", "quantization_config: {\"bits\": 4}", "is_encoder_decoder: true", "add_cross_attention: true", "tie_encoder_decoder: true",
        "architectures: [\"FalconForCausalLM\"]", "use_mrope: true", "rope_interleaved: true", "is_llama_config: false", "lm_head_bias: true", "is_causal: false",
        "use_bidirectional_attention: true", "pruned_heads: {\"0\": [1]}",
    ];

    private static readonly string[] Router = ["router_aux_loss_coef: 0.5", "output_router_logits: true"];

    public static IReadOnlyList<ConfigMembers> All { get; } =
    [
        new("llama-gqa", [.. Shape, .. Rms, "num_hidden_layers: 3", "tie_word_embeddings: false", "attention_bias: true", "mlp_bias: true"],
            ["pretraining_tp: 2"],
            ["auto_map: {}", "sliding_window: 9", "layer_types: [\"full_attention\", \"full_attention\"]", "partial_rotary_factor: 0.5", "use_sliding_window: true"]),
        new("llama-sliding-window", [.. Shape, .. Rms, "num_hidden_layers: 3", "sliding_window: 9", "sliding_window: null"], [],
            ["attention_bias: true", "mlp_bias: true", "layer_types: [\"full_attention\", \"full_attention\"]"]),
        new("ministral-alternating", [.. Shape, .. Rms, "sliding_window: 9", "layer_types: [\"full_attention\", \"full_attention\", \"full_attention\"]", "layer_types: null"],
            [], ["attention_bias: true", "layer_types: [\"full_attention\"]"]),
        new("qwen2-late-window",
            [.. Shape, .. Rms, "num_hidden_layers: 3", "use_sliding_window: false", "sliding_window: 9", "max_window_layers: 0", "layer_types: [\"full_attention\", \"full_attention\"]"],
            [], ["attention_bias: true", "mlp_bias: true"]),
        new("qwen3", [.. Shape, .. Rms, "num_hidden_layers: 3", "tie_word_embeddings: false", "attention_bias: true"],
            ["use_sliding_window: true", "sliding_window: 9", "max_window_layers: 1", "layer_types: [\"full_attention\", \"full_attention\"]"], ["mlp_bias: true"]),
        new("smollm3",
            [.. Shape, .. Rms, "num_hidden_layers: 5", "tie_word_embeddings: false", "attention_bias: true", "mlp_bias: true", "no_rope_layer_interval: 3", "no_rope_layers: [1, 1, 0]"],
            ["use_sliding_window: true", "sliding_window: 9", "max_window_layers: 1", "layer_types: [\"full_attention\", \"full_attention\", \"full_attention\"]"],
            ["no_rope_layers: [1]", "no_rope_layers: [1, 2, 1]"]),
        new("gemma2",
            [.. Shape[..5], Shape[6], .. Rms, "num_hidden_layers: 5", "tie_word_embeddings: false", "attention_bias: true", "hidden_activation: \"silu\"",
                "query_pre_attn_scalar: 25", "attn_logit_softcapping: 9", "attn_logit_softcapping: null", "final_logit_softcapping: 9", "final_logit_softcapping: null",
                "sliding_window: 9", "layer_types: [\"full_attention\", \"full_attention\", \"full_attention\"]"],
            ["hidden_act: \"gelu_new\"", "cache_implementation: \"hybrid\""], ["hidden_act: \"tanh\""]),
        new("gemma3",
            [.. Shape[..5], Shape[6], .. Rms, "num_hidden_layers: 5", "tie_word_embeddings: false", "attention_bias: true", "hidden_activation: \"silu\"",
                "query_pre_attn_scalar: 25", "attn_logit_softcapping: 9", "final_logit_softcapping: 9", "sliding_window: 9", "sliding_window_pattern: 2",
                "rope_local_base_freq: 77", "layer_types: [\"full_attention\", \"full_attention\", \"full_attention\", \"full_attention\"]"],
            ["hidden_act: \"gelu_new\"", "cache_implementation: \"hybrid\""],
            ["_sliding_window_pattern: 3", "rope_scaling: {\"full_attention\": {\"rope_theta\": 7}}"]),
        new("gemma3-nested",
            ["rope_parameters: {\"full_attention\": {\"rope_theta\": 7}, \"sliding_attention\": {\"rope_theta\": 300}}", "rope_parameters: {\"rope_theta\": 7}"],
            [], ["rope_parameters: {\"full_attention\": {\"rope_theta\": 7}, \"local\": {\"rope_theta\": 300}}",
                "rope_parameters: {\"full_attention\": {\"rope_theta\": 7}, \"sliding_attention\": {\"rope_theta\": 300, \"alpha\": 1}}"]),
        new("gemma3-vision",
            ["text_config: {\"hidden_size\": 32, \"intermediate_size\": 48, \"num_hidden_layers\": 6}"],
            ["vision_config: {}", "mm_tokens_per_image: 5", "boi_token_index: 1", "eoi_token_index: 2", "image_token_index: 3", "image_token_id: 3", "boi_token_id: 1", "eoi_token_id: 2"],
            ["text_config: null", "text_config: {\"hidden_size\": 32, \"intermediate_size\": 48, \"num_hidden_layers\": 6, \"alpha\": 1}", "tie_word_embeddings: false",
                "text_config: {\"hidden_size\": 32, \"intermediate_size\": 48, \"num_hidden_layers\": 6, \"tie_word_embeddings\": false}", "hidden_size: 64"]),
        new("phi3", [.. Shape, .. Rms, "num_hidden_layers: 5", "tie_word_embeddings: false", "sliding_window: 9", "sliding_window: null", "partial_rotary_factor: 0.5"],
            ["original_max_position_embeddings: 512", "resid_pdrop: 0.5", "embd_pdrop: 0.5", "auto_map: {\"AutoConfig\": \"x\"}", "full_attn_mod: 1", "interpolate_factor: 1"],
            ["attention_bias: true", "mlp_bias: true", "full_attn_mod: 2", "interpolate_factor: 2", "partial_rotary_factor: 1.5", "partial_rotary_factor: 0.2"]),
        new("phi3-longrope", ["original_max_position_embeddings: 1024", "original_max_position_embeddings: 64", "max_position_embeddings: 512"], [],
            ["rope_scaling: {\"type\": \"longrope\", \"short_factor\": [1], \"long_factor\": [1]}", "rope_scaling: {\"type\": \"longrope\", \"factor\": 2}"]),
        new("granite",
            [.. Shape, .. Rms, "num_hidden_layers: 3", "tie_word_embeddings: false", "attention_bias: true", "mlp_bias: true", "embedding_multiplier: 2",
                "residual_multiplier: 2", "attention_multiplier: 2", "logits_scaling: 2"],
            [], ["logits_scaling: 0", "sliding_window: 9"]),
        new("olmo2", [.. Shape, .. Rms, "num_hidden_layers: 3", "tie_word_embeddings: true", "attention_bias: true"], [], ["clip_qkv: 8", "sliding_window: 9"]),
        new("stablelm",
            [Shape[0], "hidden_size: 128", .. Shape[2..3], "num_attention_heads: 2", .. Shape[4..], "num_hidden_layers: 3", "num_key_value_heads: 1", "rope_theta: 777",
                "layer_norm_eps: 0.0001", "tie_word_embeddings: true", "use_qkv_bias: false", "qk_layernorm: true", "use_parallel_residual: true", "partial_rotary_factor: 0.5"],
            [], ["head_dim: 8", "rms_norm_eps: 0.1", "attention_bias: true", "partial_rotary_factor: 0.1"]),
        new("gpt-neox",
            [Shape[0], "hidden_size: 96", "intermediate_size: 50", "num_attention_heads: 6", .. Shape[4..], "num_hidden_layers: 3", "layer_norm_eps: 0.0001",
                "tie_word_embeddings: true", "rotary_pct: 0.5", "rotary_emb_base: 777", "use_parallel_residual: false", "attention_bias: false"],
            ["hidden_dropout: 0.5", "classifier_dropout: 0.5", "hidden_dropout_prob: 0.5", "attention_probs_dropout_prob: 0.5"],
            ["num_key_value_heads: 1", "head_dim: 8", "rope_theta: 777", "partial_rotary_factor: 0.5", "hidden_size: 50"]),
        new("gpt2-prefixed",
            ["vocab_size: 65", "n_embd: 64", "n_head: 4", "n_layer: 3", "n_positions: 64", "n_inner: 50", "layer_norm_epsilon: 0.0001", "activation_function: \"gelu\"",
                "tie_word_embeddings: false"],
            ["n_ctx: 9", "attn_pdrop: 0.5", "embd_pdrop: 0.5", "resid_pdrop: 0.5", "reorder_and_upcast_attn: true", "summary_type: \"mean\"", "summary_use_proj: false",
                "summary_activation: \"tanh\"", "summary_first_dropout: 0.5", "summary_proj_to_labels: false", "activation_function: \"gelu_pytorch_tanh\""],
            ["scale_attn_weights: false", "scale_attn_by_inverse_layer_idx: true", "n_layer: 0", "rope_theta: 777"]),
        new("mixtral",
            [.. Shape, .. Rms, "num_hidden_layers: 3", "tie_word_embeddings: false", "num_local_experts: 5", "num_experts_per_tok: 1", "sliding_window: 9"],
            [.. Router, "router_jitter_noise: 0.5"], ["num_experts: 4", "num_experts_per_tok: 9", "attention_bias: true"]),
        new("qwen3-moe",
            [.. Shape, .. Rms, "num_hidden_layers: 5", "tie_word_embeddings: false", "attention_bias: true", "num_experts: 6", "num_experts_per_tok: 1",
                "moe_intermediate_size: 24", "norm_topk_prob: false", "mlp_only_layers: [0]", "mlp_only_layers: null", "decoder_sparse_step: 3"],
            [.. Router, "sliding_window: 9", "max_window_layers: 1"],
            ["use_sliding_window: true", "num_local_experts: 5", "num_experts_per_tok: 9", "shared_expert_intermediate_size: 8"]),
        new("olmoe",
            [.. Shape, .. Rms, "num_hidden_layers: 3", "tie_word_embeddings: true", "attention_bias: true", "num_experts: 6", "num_experts_per_tok: 1", "norm_topk_prob: true"],
            Router, ["clip_qkv: 8", "num_experts_per_tok: 9"]),
    ];

    /// <summary>What holds for every architecture, added to its own.</summary>
    public ConfigMembers WithCommon() => this with { Same = [.. Same, .. Bookkeeping], Refused = [.. Refused, .. NeverComputed] };
}
