namespace KvTiers.Inference.Model;

/// <summary>What normalises a vector.</summary>
public enum NormKind
{
    /// <summary>RMSNorm: x / √(mean(x²) + ε) · weight.</summary>
    Rms,

    /// <summary>LayerNorm: (x − mean(x)) / √(variance(x) + ε) · weight + bias.</summary>
    Layer,
}
