namespace KvTiers.Inference.Model.Gguf;

/// <summary>4-bit integers of 32 weights in 16 bytes: weights 0–15 in the lower halves, 16–31 in the upper ones.</summary>
internal static unsafe class GgufHalves
{
    /// <summary>Reads them, 0 to 15.</summary>
    /// <param name="bytes">16 bytes.</param>
    /// <param name="integers">[32].</param>
    public static void Read(byte* bytes, Span<sbyte> integers)
    {
        for (int i = 0; i < 16; i++)
        {
            integers[i] = (sbyte)(bytes[i] & 15);
            integers[i + 16] = (sbyte)(bytes[i] >> 4);
        }
    }
}
