using System.Buffers;
using System.Globalization;
using System.Text;

namespace KvTiers.Inference.Tokens;

/// <summary>Where an added token was found.</summary>
internal readonly record struct AddedTokenMatch(AddedToken Token, int Start, int End);

/// <summary>Finds added tokens in a text: the leftmost, and of those that start there the longest.</summary>
internal sealed class AddedTokenMatcher
{
    private readonly Dictionary<char, AddedToken[]> _byFirst;
    private readonly SearchValues<char> _firsts;

    /// <param name="tokens">Tokens with content.</param>
    public AddedTokenMatcher(IEnumerable<AddedToken> tokens)
    {
        _byFirst = tokens.GroupBy(token => token.Content[0])
            .ToDictionary(group => group.Key, group => group.OrderByDescending(token => token.Content.Length).ToArray());
        _firsts = SearchValues.Create([.. _byFirst.Keys]);
    }

    /// <summary>True when there is nothing to find.</summary>
    public bool IsEmpty => _byFirst.Count == 0;

    /// <summary>The first match that starts and ends in a range of the text.</summary>
    /// <param name="text">The text; also looked at outside the range, for word boundaries and white space.</param>
    /// <param name="start">First position a token may start at.</param>
    /// <param name="end">Last position a token may end at.</param>
    /// <param name="consumed">Where the match before ended: white space is not taken from beyond it.</param>
    /// <param name="parseSpecial">False: a special token's text is passed over, as text.</param>
    public AddedTokenMatch? Next(ReadOnlySpan<char> text, int start, int end, int consumed, bool parseSpecial)
    {
        int position = start;
        while (position < end)
        {
            int offset = text[position..end].IndexOfAny(_firsts);
            if (offset < 0)
                return null;
            position += offset;
            AddedToken? token = LongestAt(text[position..end]);
            if (token is null)
            {
                position++;
                continue;
            }

            int stop = position + token.Content.Length;
            bool wanted = (parseSpecial || !token.Special)
                && (!token.SingleWord || (!EndsWithWord(text[..position]) && !StartsWithWord(text[stop..])));
            if (!wanted)
            {
                position = stop;
                continue;
            }

            int from = position;
            while (token.LeftStrip && from > consumed && char.IsWhiteSpace(text[from - 1]))
                from--;
            while (token.RightStrip && stop < text.Length && char.IsWhiteSpace(text[stop]))
                stop++;
            return new AddedTokenMatch(token, from, stop);
        }

        return null;
    }

    private AddedToken? LongestAt(ReadOnlySpan<char> text)
    {
        foreach (AddedToken token in _byFirst[text[0]])
        {
            if (text.StartsWith(token.Content))
                return token;
        }

        return null;
    }

    private static bool EndsWithWord(ReadOnlySpan<char> text) =>
        Rune.DecodeLastFromUtf16(text, out Rune rune, out _) == OperationStatus.Done && IsWord(rune);

    private static bool StartsWithWord(ReadOnlySpan<char> text) =>
        Rune.DecodeFromUtf16(text, out Rune rune, out _) == OperationStatus.Done && IsWord(rune);

    // \w of Unicode Technical Standard 18: Alphabetic, marks, decimal digits, connectors, join controls. The circled and squared letters are
    // the alphabetic symbols.
    private static bool IsWord(Rune rune) => Rune.GetUnicodeCategory(rune) switch
    {
        <= UnicodeCategory.DecimalDigitNumber or UnicodeCategory.LetterNumber or UnicodeCategory.ConnectorPunctuation => true,
        _ => rune.Value is 0x200C or 0x200D or (>= 0x24B6 and <= 0x24E9) or (>= 0x1F130 and <= 0x1F149) or (>= 0x1F150 and <= 0x1F169)
            or (>= 0x1F170 and <= 0x1F189),
    };
}
