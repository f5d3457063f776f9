namespace KvTiers.Tiers;

/// <summary>Why a tier did not answer or did not do what was asked.</summary>
public enum TierMiss
{
    /// <summary>The block is not held.</summary>
    Absent,

    /// <summary>The record has no magic, or a checksum that disagrees; it was dropped, as on every fault of a record.</summary>
    Corrupt,

    /// <summary>The record has another length.</summary>
    Truncated,

    /// <summary>The record is of another version of the format.</summary>
    OtherVersion,

    /// <summary>The record is encoded otherwise than this tier's.</summary>
    OtherEncoding,

    /// <summary>The record is of another layout.</summary>
    OtherLayout,

    /// <summary>The record is a sound one of another block.</summary>
    OtherBlock,

    /// <summary>The record was written under a key that this tier does not have, or under one where it has none.</summary>
    OtherKey,

    /// <summary>Nobody with the tier's key wrote the record: bits of it were changed, or it was forged.</summary>
    Unauthentic,

    /// <summary>The record holds a value that is no number, or an infinite one.</summary>
    NotFinite,

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
