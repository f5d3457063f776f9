using System.Globalization;
using System.Text;

namespace KvTiers.Inference.Tokens;

/// <summary>The classes of characters that the pre-tokenizer patterns tell apart: <c>\p{L}</c>, <c>\p{N}</c>, <c>[\r\n]</c>, the rest of <c>\s</c>, and everything else.</summary>
internal enum CharacterClass : byte
{
    /// <summary>None of the others.</summary>
    Other,

    /// <summary><c>\p{L}</c>.</summary>
    Letter,

    /// <summary><c>\p{N}</c>: Nd, Nl and No.</summary>
    Number,

    /// <summary>White space but for carriage return and line feed. All of it lies in the basic plane.</summary>
    Space,

    /// <summary>Carriage return or line feed.</summary>
    LineBreak,
}

/// <summary>Classifies code points, not UTF-16 units: letters outside the basic plane are letters.</summary>
internal static class CharacterClasses
{
    private static readonly CharacterClass[] Ascii = BuildAscii();

    /// <summary>The class of the first code point of a text that is not empty, and how many UTF-16 units it takes.</summary>
    public static CharacterClass First(ReadOnlySpan<char> text, out int width)
    {
        char first = text[0];
        width = 1;
        if (first < Ascii.Length)
            return Ascii[first];
        if (!char.IsSurrogate(first))
            return Of(new Rune(first));
        Rune.DecodeFromUtf16(text, out Rune rune, out width);
        return Of(rune);
    }

    /// <summary>UTF-16 length of the run of one class at the start of a text.</summary>
    public static int RunLength(ReadOnlySpan<char> text, CharacterClass wanted)
    {
        int length = 0;
        while (length < text.Length && First(text[length..], out int width) == wanted)
            length += width;
        return length;
    }

    private static CharacterClass Of(Rune rune) => Rune.GetUnicodeCategory(rune) switch
    {
        UnicodeCategory.UppercaseLetter or UnicodeCategory.LowercaseLetter or UnicodeCategory.TitlecaseLetter
            or UnicodeCategory.ModifierLetter or UnicodeCategory.OtherLetter => CharacterClass.Letter,
        UnicodeCategory.DecimalDigitNumber or UnicodeCategory.LetterNumber or UnicodeCategory.OtherNumber => CharacterClass.Number,
        _ when Rune.IsWhiteSpace(rune) => rune.Value is '\r' or '\n' ? CharacterClass.LineBreak : CharacterClass.Space,
        _ => CharacterClass.Other,
    };

    private static CharacterClass[] BuildAscii()
    {
        CharacterClass[] classes = new CharacterClass[128];
        for (int i = 0; i < classes.Length; i++)
            classes[i] = Of(new Rune(i));
        return classes;
    }
}
