namespace KvTiers.Tiers;

/// <summary>How far a tier has got with an erasure.</summary>
public enum ErasureState
{
    /// <summary>The tier holds nothing of it any more.</summary>
    Removed,

    /// <summary>The tier does not answer now; it is asked again.</summary>
    Pending,

    /// <summary>The tier answered with an error; it is asked again.</summary>
    Failed,
}
