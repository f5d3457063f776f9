namespace KvTiers.MakeModel;

/// <summary>Names and order of a model's tensors.</summary>
public enum ModelFamily
{
    /// <summary>RMSNorm, rotary positions, SwiGLU, grouped queries.</summary>
    Llama,

    /// <summary>LayerNorm, learned positions, GELU.</summary>
    Gpt2,
}
