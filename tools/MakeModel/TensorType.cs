namespace KvTiers.MakeModel;

/// <summary>Element type of a stored tensor.</summary>
public enum TensorType
{
    /// <summary>IEEE single.</summary>
    F32,

    /// <summary>IEEE half.</summary>
    F16,

    /// <summary>The upper half of an IEEE single, rounded to nearest even.</summary>
    BF16,
}
