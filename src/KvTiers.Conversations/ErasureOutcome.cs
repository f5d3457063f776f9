namespace KvTiers.Conversations;

/// <summary>How far a deletion is in one tier.</summary>
public enum ErasureOutcome
{
    /// <summary>The tier holds nothing of it any more.</summary>
    Removed,

    /// <summary>The tier does not answer now; it is asked again.</summary>
    Pending,

    /// <summary>The tier answered with an error; it is asked again.</summary>
    Failed,
}
