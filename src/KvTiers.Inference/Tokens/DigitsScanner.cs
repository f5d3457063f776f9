namespace KvTiers.Inference.Tokens;

/// <summary>The <c>Digits</c> pre-tokenizer: numeric characters (Nd, Nl, No) apart from the rest, each alone or a run together.</summary>
internal sealed class DigitsScanner(bool individually) : PieceScanner
{
    public override int NextLength(ReadOnlySpan<char> text)
    {
        if (CharacterClasses.First(text, out int length) == CharacterClass.Number)
            return individually ? length : CharacterClasses.RunLength(text, CharacterClass.Number);
        while (length < text.Length && CharacterClasses.First(text[length..], out int width) != CharacterClass.Number)
            length += width;
        return length;
    }
}
