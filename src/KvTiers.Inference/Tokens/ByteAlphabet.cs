namespace KvTiers.Inference.Tokens;

/// <summary>The byte-level alphabet: every byte has one printable character, so that a vocabulary of strings can hold any bytes.</summary>
/// <remarks>
/// Bytes 33–126, 161–172 and 174–255 stand for themselves as Latin-1; the other 68 take U+0100 onwards, in order (a space is <c>Ġ</c>).
/// From GPT-2's byte-level BPE.
/// </remarks>
internal static class ByteAlphabet
{
    private const int FirstStandIn = 0x100;

    private static readonly char[] Characters = BuildCharacters();
    private static readonly short[] Bytes = BuildBytes();

    /// <summary>The character of a byte.</summary>
    public static char CharacterOf(byte value) => Characters[value];

    /// <summary>The bytes a vocabulary entry stands for; its own UTF-8 when one of its characters is not of the alphabet.</summary>
    public static byte[] BytesOf(string entry)
    {
        byte[] bytes = new byte[entry.Length];
        for (int i = 0; i < entry.Length; i++)
        {
            char character = entry[i];
            if (character >= Bytes.Length || Bytes[character] < 0)
                return System.Text.Encoding.UTF8.GetBytes(entry);
            bytes[i] = (byte)Bytes[character];
        }

        return bytes;
    }

    private static char[] BuildCharacters()
    {
        char[] characters = new char[256];
        int standIns = 0;
        for (int value = 0; value < 256; value++)
        {
            bool printable = value is (>= '!' and <= '~') or (>= 0xA1 and <= 0xAC) or >= 0xAE;
            characters[value] = printable ? (char)value : (char)(FirstStandIn + standIns++);
        }

        return characters;
    }

    private static short[] BuildBytes()
    {
        short[] bytes = new short[Characters.Max() + 1];
        Array.Fill(bytes, (short)-1);
        for (int value = 0; value < 256; value++)
            bytes[Characters[value]] = (short)value;
        return bytes;
    }
}
