namespace KvTiers.Inference.Model;

/// <summary>The nonlinear function of a feed-forward layer.</summary>
public enum ActivationKind
{
    /// <summary>x · σ(x).</summary>
    Silu,

    /// <summary>GELU in the form with tanh.</summary>
    GeluTanh,

    /// <summary>GELU as it is defined, with erf.</summary>
    Gelu,

    /// <summary>max(x, 0)².</summary>
    Relu2,
}
