namespace KvTiers.Tiers.Encodings;

/// <summary>How a tier stores a block's elements.</summary>
/// <remarks>
/// The number is part of every stored block, and of what a reader accepts: a lossy copy never answers for a lossless one.
/// </remarks>
public enum BlockEncoding
{
    /// <summary>The bytes of the hot tier, unchanged. The only encoding that is always lossless.</summary>
    Hot = 0,

    /// <summary>bfloat16, rounded to nearest even. Lossless when the hot tier is bfloat16 as well.</summary>
    BFloat16 = 1,

    /// <summary>8-bit floating point, 4 exponent and 3 mantissa bits, with group scales.</summary>
    Float8E4M3 = 2,

    /// <summary>8-bit integers with group scales.</summary>
    Int8 = 3,

    /// <summary>4-bit integers with group scales.</summary>
    Int4 = 4,
}
