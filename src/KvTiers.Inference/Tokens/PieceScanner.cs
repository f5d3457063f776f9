namespace KvTiers.Inference.Tokens;

/// <summary>Cuts a text into the pieces that byte pairs are merged in. Stateless.</summary>
internal abstract class PieceScanner
{
    /// <summary>UTF-16 length of the piece at the start of a text that is not empty; at least 1, never inside a surrogate pair.</summary>
    public abstract int NextLength(ReadOnlySpan<char> text);

    // \s+(?!\S)|\s+ : a run of white space leaves its last character to the word that follows it.
    private protected static int WhiteSpaceLength(ReadOnlySpan<char> text)
    {
        int length = 0;
        while (length < text.Length && CharacterClasses.First(text[length..], out _) is CharacterClass.Space or CharacterClass.LineBreak)
            length++;
        return length == text.Length || length == 1 ? length : length - 1;
    }
}
