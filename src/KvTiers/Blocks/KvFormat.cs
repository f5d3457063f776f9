namespace KvTiers.Blocks;

/// <summary>Element format of the keys and values in a block.</summary>
public enum KvFormat
{
    /// <summary>32-bit float.</summary>
    F32,

    /// <summary>Bfloat16: the upper half of a 32-bit float, rounded to nearest even when written.</summary>
    BF16,
}
