namespace KvTiers.Blocks;

/// <summary>The element format of K and V in the hot tier.</summary>
public enum KvFormat
{
    /// <summary>IEEE 754 binary32, 4 bytes an element.</summary>
    F32 = 0,

    /// <summary>bfloat16, the upper half of a binary32, 2 bytes an element.</summary>
    BF16 = 1,
}
