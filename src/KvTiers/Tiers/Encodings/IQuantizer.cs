using System.Runtime.Intrinsics;

namespace KvTiers.Tiers.Encodings;

/// <summary>A number format of few bits, sixteen values at a time.</summary>
internal unsafe interface IQuantizer
{
    /// <summary>The largest magnitude the format holds: a group's largest value is scaled to it.</summary>
    static abstract float MaxMagnitude { get; }

    /// <summary>Bytes of sixteen values.</summary>
    static abstract int BytesPerVector { get; }

    /// <summary>Rounds sixteen values to nearest even and stores them. One beyond ±<see cref="MaxMagnitude"/> is stored as the largest there is.</summary>
    static abstract void Store(Vector512<float> values, byte* destination);

    /// <summary>Loads sixteen values.</summary>
    static abstract Vector512<float> Load(byte* source);
}
