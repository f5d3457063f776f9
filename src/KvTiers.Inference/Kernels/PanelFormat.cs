namespace KvTiers.Inference.Kernels;

/// <summary>Element format of a <see cref="PackedMatrix"/>. Formats of integers come after those of floats; numbers are stored, and not used again.</summary>
internal enum PanelFormat
{
    /// <summary>32-bit floats: 128 bytes per panel row, column 0 to 31.</summary>
    F32,

    /// <summary>Bfloat16 in pairs: 64 bytes per panel row; word c holds column c below and column c + 16 above.</summary>
    BF16,

    /// <summary>8-bit integers with a bfloat16 scale per 64 inputs, as <see cref="PanelInt8"/> lays them out.</summary>
    Int8,

    /// <summary>8-bit integers with a 16-bit float as scale per 32 inputs, as <see cref="PanelInt8"/> lays them out.</summary>
    Int8By32,

    /// <summary>4-bit integers around zero, as <see cref="PanelInt4"/> lays them out.</summary>
    Int4,

    /// <summary>4-bit integers from a least value upwards, as <see cref="PanelInt4"/> lays them out.</summary>
    Int4Affine,
}
