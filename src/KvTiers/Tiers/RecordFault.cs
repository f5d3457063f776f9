namespace KvTiers.Tiers;

/// <summary>Why a record is no answer.</summary>
internal enum RecordFault
{
    /// <summary>It is one.</summary>
    None,

    /// <summary>Shorter, or longer, than a record of this store.</summary>
    Truncated,

    /// <summary>No magic, or a checksum that disagrees.</summary>
    Corrupt,

    /// <summary>Written by another version of the format.</summary>
    OtherVersion,

    /// <summary>Encoded otherwise than this reader accepts.</summary>
    OtherEncoding,

    /// <summary>It is of another shape.</summary>
    OtherLayout,

    /// <summary>A sound record of another block.</summary>
    OtherBlock,

    /// <summary>Written under a key that this reader does not have, or under one where this reader has none.</summary>
    OtherKey,

    /// <summary>Nobody with the key wrote this: its authentication code disagrees, or it has none where one is asked for.</summary>
    Unauthentic,

    /// <summary>Whoever wrote it, it holds what is no number, or an infinite one.</summary>
    NotFinite,
}
