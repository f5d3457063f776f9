namespace KvTiers.Inference.Model;

/// <summary>The families of decoder-only transformers that the engine computes.</summary>
public enum ModelArchitecture
{
    /// <summary>RMSNorm, rotary positions, SwiGLU, grouped queries: Llama, Mistral, Qwen2.</summary>
    Llama,

    /// <summary>LayerNorm, learned positions, GELU.</summary>
    Gpt2,
}
