using System.Globalization;
using System.Text;
using KvTiers.Inference.Constraints.Automata;

namespace KvTiers.Inference.Constraints.Grammars;

/// <content>Literals and classes of characters.</content>
internal sealed partial class GrammarParser
{
    private string ReadLiteral(char quote)
    {
        var literal = new StringBuilder();
        for (_position++; ;)
        {
            if (AtEnd || text[_position] == '\n')
                throw Fail($"a literal does not end with {quote}");
            if (TryTake(quote.ToString()))
                return literal.ToString();
            literal.Append(new Rune(ReadCharacter()));
        }
    }

    private CharacterSet ReadClass()
    {
        bool isNegated = TryTake("^");
        var ranges = new List<(int First, int Last)>();
        while (!TryTake("]"))
        {
            int first = ReadClassCharacter();
            int last = first;
            if (!AtEnd && text[_position] == '-' && _position + 1 < text.Length && text[_position + 1] != ']')
            {
                _position++;
                last = ReadClassCharacter();
            }

            if (last < first)
                throw Fail("a range of characters ends before it begins");
            ranges.Add((first, last));
        }

        var set = CharacterSet.Of(ranges);
        return isNegated ? set.Complement() : set;
    }

    private int ReadClassCharacter() => AtEnd || text[_position] == '\n' ? throw Fail("a class of characters does not end with ']'") : ReadCharacter();

    private int ReadCharacter()
    {
        if (!TryTake("\\"))
        {
            Rune.DecodeFromUtf16(text.AsSpan(_position), out Rune rune, out int length);
            _position += length;
            return rune.Value;
        }

        char escaped = AtEnd ? throw Fail("it ends with '\\'") : text[_position++];
        return escaped switch
        {
            'n' => '\n',
            't' => '\t',
            'r' => '\r',
            'x' => ReadHex(2),
            'u' => ReadHex(4),
            'U' => ReadHex(8),
            _ when char.IsAsciiLetterOrDigit(escaped) => throw Fail($"the escape '\\{escaped}' is not known"),
            _ => escaped,
        };
    }

    private int ReadHex(int digits)
    {
        ReadOnlySpan<char> hex = text.AsSpan(_position, Math.Min(digits, text.Length - _position));
        if (hex.Length < digits || !int.TryParse(hex, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out int value) || !Rune.IsValid(value))
            throw Fail($"an escape has no {digits} hexadecimal digits of a Unicode character");
        _position += digits;
        return value;
    }
}
