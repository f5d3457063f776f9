namespace KvTiers.Inference.Tokens;

/// <summary>
/// The pattern of Llama 3, and with one digit a piece of Qwen 2 to 3:
/// <c>(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+</c>
/// </summary>
/// <param name="digits">Most numeric characters of one piece.</param>
internal sealed class Llama3Scanner(int digits) : PieceScanner
{
    public const string Llama3Pattern =
        @"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";

    public const string Qwen2Pattern =
        @"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";

    public override int NextLength(ReadOnlySpan<char> text)
    {
        if (text[0] == '\'' && ContractionLength(text[1..]) is > 0 and int contraction)
            return 1 + contraction;

        CharacterClass start = CharacterClasses.First(text, out int width);
        switch (start)
        {
            case CharacterClass.Letter:
                return CharacterClasses.RunLength(text, CharacterClass.Letter);
            case CharacterClass.Number:
                return NumberLength(text);
            case CharacterClass.Space or CharacterClass.Other:
                int letters = CharacterClasses.RunLength(text[width..], CharacterClass.Letter);
                if (letters > 0)
                    return width + letters;
                break;
        }

        int lead = text[0] == ' ' ? 1 : 0;
        int others = CharacterClasses.RunLength(text[lead..], CharacterClass.Other);
        if (others > 0)
            return lead + others + CharacterClasses.RunLength(text[(lead + others)..], CharacterClass.LineBreak);
        int lines = ThroughLastLineBreak(text);
        return lines > 0 ? lines : WhiteSpaceLength(text);
    }

    private int NumberLength(ReadOnlySpan<char> text)
    {
        int length = 0;
        for (int i = 0; i < digits && length < text.Length; i++)
        {
            if (CharacterClasses.First(text[length..], out int width) != CharacterClass.Number)
                break;
            length += width;
        }

        return length;
    }

    // \s*[\r\n]+ : up to and with the last line break of the white space that starts here.
    private static int ThroughLastLineBreak(ReadOnlySpan<char> text)
    {
        int end = 0;
        for (int i = 0; i < text.Length; i++)
        {
            CharacterClass current = CharacterClasses.First(text[i..], out _);
            if (current == CharacterClass.LineBreak)
                end = i + 1;
            else if (current != CharacterClass.Space)
                break;
        }

        return end;
    }

    // Case-insensitively, the long s (U+017F) is an s.
    private static int ContractionLength(ReadOnlySpan<char> rest) => rest switch
    {
        ['s' or 'S' or '\u017F' or 't' or 'T' or 'm' or 'M' or 'd' or 'D', ..] => 1,
        ['r' or 'R' or 'v' or 'V', 'e' or 'E', ..] => 2,
        ['l' or 'L', 'l' or 'L', ..] => 2,
        _ => 0,
    };
}
