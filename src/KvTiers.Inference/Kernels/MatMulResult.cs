namespace KvTiers.Inference.Kernels;

/// <summary>Says what is done with a product, output by output, before it is stored.</summary>
internal enum MatMulResult
{
    /// <summary>Stored as it is.</summary>
    Store,

    /// <summary>Added to what the output holds: a residual stream.</summary>
    Add,

    /// <summary>Stored through <see cref="Activation.Gelu{TLanes}"/>.</summary>
    Gelu,

    /// <summary>
    /// For matrices packed in pairs: silu(first) · second is stored, half as many elements as the matrix has outputs.
    /// </summary>
    SwiGlu,
}
