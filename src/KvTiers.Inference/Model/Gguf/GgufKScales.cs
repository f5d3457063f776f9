namespace KvTiers.Inference.Model.Gguf;

/// <summary>The 12 bytes in which Q4_K and Q5_K hold 6-bit scales and 6-bit least values of eight groups of 32 weights.</summary>
internal static unsafe class GgufKScales
{
    /// <summary>A group's scale, 0 to 63.</summary>
    public static int Scale(byte* bytes, int group) => group < 4 ? bytes[group] & 63 : bytes[group + 4] & 15 | bytes[group - 4] >> 6 << 4;

    /// <summary>A group's least value, 0 to 63.</summary>
    public static int Least(byte* bytes, int group) => group < 4 ? bytes[group + 4] & 63 : bytes[group + 4] >> 4 | bytes[group] >> 6 << 4;
}
