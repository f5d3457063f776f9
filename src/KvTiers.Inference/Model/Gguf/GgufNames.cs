namespace KvTiers.Inference.Model.Gguf;

/// <summary>Tensors' names in GGUF files, and in the folders that the engine knows.</summary>
internal static class GgufNames
{
    /// <summary>Factors of the rotary frequencies; not a weight.</summary>
    public const string RotaryFactors = "rope_freqs.weight";

    private const string Layer = "blk.";

    private static readonly Dictionary<string, string> Whole = new(StringComparer.Ordinal)
    {
        ["token_embd.weight"] = "model.embed_tokens.weight",
        ["output_norm.weight"] = "model.norm.weight",
        ["output.weight"] = "lm_head.weight",
    };

    private static readonly Dictionary<string, string> OfLayer = new(StringComparer.Ordinal)
    {
        ["attn_norm"] = "input_layernorm",
        ["attn_q"] = "self_attn.q_proj",
        ["attn_k"] = "self_attn.k_proj",
        ["attn_v"] = "self_attn.v_proj",
        ["attn_output"] = "self_attn.o_proj",
        ["attn_q_norm"] = "self_attn.q_norm",
        ["attn_k_norm"] = "self_attn.k_norm",
        ["ffn_norm"] = "post_attention_layernorm",
        ["ffn_gate"] = "mlp.gate_proj",
        ["ffn_up"] = "mlp.up_proj",
        ["ffn_down"] = "mlp.down_proj",
    };

    /// <summary>The name that the engine knows; the file's own where it knows none.</summary>
    public static string Translate(string name)
    {
        if (Whole.TryGetValue(name, out string? known))
            return known;
        string[] parts = name.Split('.');
        return parts is ["blk", var layer, var part, "weight" or "bias"] && OfLayer.TryGetValue(part, out string? own) ? $"model.layers.{layer}.{own}.{parts[3]}" : name;
    }

    /// <summary>A tensor of the first layer: what is there tells of biases.</summary>
    public static string First(string part) => $"{Layer}0.{part}";
}
