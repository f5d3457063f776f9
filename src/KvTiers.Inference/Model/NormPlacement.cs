namespace KvTiers.Inference.Model;

/// <summary>Where the norms of a layer stand.</summary>
public enum NormPlacement
{
    /// <summary>Before attention and before the feed-forward layer: x + f(norm(x)).</summary>
    Before,

    /// <summary>After them: x + norm(f(x)).</summary>
    After,

    /// <summary>Both, each with weights of its own: x + norm(f(norm(x))).</summary>
    Around,
}
