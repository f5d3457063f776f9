namespace KvTiers.Sessions;

/// <summary>What became of a deleted conversation's blocks in one tier.</summary>
public enum ErasureOutcome
{
    /// <summary>The tier holds none of them any more.</summary>
    Removed,

    /// <summary>The tier did not answer, or only in part. The deletion is written down, and tried again until the tier holds none of them.</summary>
    Pending,

    /// <summary>It was tried for as long as it is worth it. What the tier may still hold goes in its eviction order, or when its time to live ends.</summary>
    Failed,
}
