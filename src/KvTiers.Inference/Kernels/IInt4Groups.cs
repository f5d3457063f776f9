namespace KvTiers.Inference.Kernels;

/// <summary>What 4-bit integers from 0 to 15 stand for: scale · (integer + offset), or scale · integer + least.</summary>
internal interface IInt4Groups
{
    /// <summary>Added to every integer.</summary>
    static abstract int Offset { get; }

    /// <summary>A group has a value of its own for its integer 0.</summary>
    static abstract bool HasLeast { get; }
}
