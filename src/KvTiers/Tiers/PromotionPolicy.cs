namespace KvTiers.Tiers;

/// <summary>Which blocks of colder tiers are loaded rather than recomputed.</summary>
public enum PromotionPolicy
{
    /// <summary>As many as make the time to the first token least, by the measured rates of tiers and engine.</summary>
    ByRate,

    /// <summary>All that are held.</summary>
    Always,

    /// <summary>None.</summary>
    Never,
}
