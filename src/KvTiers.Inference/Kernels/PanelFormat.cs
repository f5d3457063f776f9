namespace KvTiers.Inference.Kernels;

/// <summary>Element format of a <see cref="PackedMatrix"/>.</summary>
internal enum PanelFormat
{
    /// <summary>32-bit floats: 128 bytes per panel row, column 0 to 31.</summary>
    F32,

    /// <summary>Bfloat16 in pairs: 64 bytes per panel row; word c holds column c below and column c + 16 above.</summary>
    BF16,

    /// <summary>8-bit integers with scales, as <see cref="PanelInt8"/> lays them out.</summary>
    Int8,
}
