namespace KvTiers.Tiers;

/// <summary>Why a tier did not answer or did not do what was asked.</summary>
public enum TierMiss
{
    /// <summary>The block is not held.</summary>
    Absent,

    /// <summary>The record failed its checks (<see cref="RecordFault"/>); it was dropped.</summary>
    Corrupt,

    /// <summary>The store failed with an error while reading.</summary>
    ReadError,

    /// <summary>The store failed with an error while writing.</summary>
    WriteError,

    /// <summary>The store failed with an error while removing, resizing or counting.</summary>
    OtherError,

    /// <summary>The store did not answer in time.</summary>
    Deadline,

    /// <summary>The store was not asked, because it failed too often just now.</summary>
    Unavailable,
}
