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
}
