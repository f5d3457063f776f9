namespace KvTiers.Inference.Tokens;

/// <summary>GPT-2's pattern: <c>'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+</c></summary>
internal sealed class Gpt2Scanner : PieceScanner
{
    public const string Pattern = @"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+";

    public override int NextLength(ReadOnlySpan<char> text)
    {
        if (text[0] == '\'' && ContractionLength(text[1..]) is > 0 and int contraction)
            return 1 + contraction;

        int lead = text[0] == ' ' && text.Length > 1 ? 1 : 0;
        CharacterClass start = CharacterClasses.First(text[lead..], out _);
        if (start is CharacterClass.Letter or CharacterClass.Number or CharacterClass.Other)
            return lead + CharacterClasses.RunLength(text[lead..], start);
        return WhiteSpaceLength(text);
    }

    private static int ContractionLength(ReadOnlySpan<char> rest)
    {
        if (rest.StartsWith("re") || rest.StartsWith("ve") || rest.StartsWith("ll"))
            return 2;
        return rest is ['s' or 't' or 'm' or 'd', ..] ? 1 : 0;
    }
}
