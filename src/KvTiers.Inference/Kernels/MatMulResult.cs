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

    /// <summary>Stored through <see cref="Activation.GeluErf{TLanes}"/>.</summary>
    GeluErf,

    /// <summary>Stored through <see cref="Activation.Silu{TLanes}"/>.</summary>
    Silu,

    /// <summary>Stored through <see cref="Activation.Relu2{TLanes}"/>.</summary>
    Relu2,

    /// <summary>
    /// For matrices packed in pairs: silu(first) · second is stored, half as many elements as the matrix has outputs. So it is for the next ones.
    /// </summary>
    SwiGlu,

    /// <summary>The same with <see cref="Activation.Gelu{TLanes}"/> of the first.</summary>
    GeGlu,

    /// <summary>The same with <see cref="Activation.GeluErf{TLanes}"/> of the first.</summary>
    GeGluErf,

    /// <summary>The same with <see cref="Activation.Relu2{TLanes}"/> of the first.</summary>
    ReGlu2,
}
