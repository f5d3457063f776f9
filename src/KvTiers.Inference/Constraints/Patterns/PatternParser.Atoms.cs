using System.Globalization;
using System.Text;
using KvTiers.Inference.Constraints.Automata;

namespace KvTiers.Inference.Constraints.Patterns;

/// <content>Characters, classes, groups and escapes.</content>
internal sealed partial class PatternParser
{
    private Expression ReadAtom()
    {
        char first = _text[_position];
        switch (first)
        {
            case '(':
                return ReadGroup();
            case '[':
                _position++;
                return new CharacterExpression(ReadClass());
            case '.':
                _position++;
                return new CharacterExpression(CharacterClasses.Dot);
            case '^':
            case '$':
                _position++;
                return new AnchorExpression(AtStart: first == '^');
            case '\\':
                return ReadEscape();
            case '*' or '+' or '?':
                throw Fail($"a '{first}' that repeats nothing");
            default:
                return new CharacterExpression(CharacterSet.Of(ReadCharacter()));
        }
    }

    private Expression ReadGroup()
    {
        if (Looks("(?"))
        {
            _position += 2;
            if (Looks("<=") || Looks("<!"))
                throw Fail("a lookbehind");
            if (Looks(">"))
                throw Fail("an atomic group");
            if (TryTake(':'))
                return ReadGroupBody();
            int name = _position + (Looks("P") ? 1 : 0);
            int end = name < _text.Length && _text[name] == '<' ? _text.IndexOf('>', name) : -1;
            if (end < 0)
                throw Fail(Looks("P=") ? "a backreference" : "a group of this kind (flags, conditions, comments)");
            _position = end + 1;
        }
        else
        {
            _position++;
        }

        return ReadGroupBody();
    }

    private Expression ReadGroupBody()
    {
        Expression body = ReadChoice();
        Expect(')');
        return body;
    }

    private Expression ReadEscape()
    {
        if (_position + 1 == _text.Length)
            throw Fail("a '\\' at its end");
        char escaped = _text[_position + 1];
        switch (escaped)
        {
            case 'b' or 'B':
                throw Fail($"a word boundary (\\{escaped})");
            case 'k' or (>= '1' and <= '9'):
                throw Fail("a backreference");
            case 'A' or 'z' or 'Z':
                _position += 2;
                return new AnchorExpression(AtStart: escaped == 'A');
            default:
                _position++;
                (CharacterSet set, _) = ReadEscaped();
                return new CharacterExpression(set);
        }
    }

    // Within a class a negated class is the complement of the wide one, so both are asked for.
    private CharacterSet ReadClass()
    {
        bool isNegated = TryTake('^');
        CharacterSet narrow = CharacterSet.None;
        CharacterSet wide = CharacterSet.None;
        for (bool isFirst = true; AtEnd || _text[_position] != ']'; isFirst = false)
        {
            if (AtEnd)
                throw Fail("a class without ']'");
            if (Looks("[:") || Looks("&&") || (Looks("--") && !isFirst))
                throw Fail($"'{_text.AsSpan(_position, 2)}' inside a class");
            (CharacterSet low, CharacterSet wideLow) = ReadClassMember();
            if (Looks("-") && !Looks("-]") && low.Ranges is [var (start, single)] && start == single)
            {
                _position++;
                (CharacterSet high, _) = AtEnd ? throw Fail("a class without ']'") : ReadClassMember();
                if (high.Ranges is not [var (last, other)] || last != other || last < start)
                    throw Fail("a range that does not go from a character to the same or a later one");
                low = wideLow = CharacterSet.Of((start, last));
            }

            narrow = narrow.Union(low);
            wide = wide.Union(wideLow);
        }

        _position++;
        return isNegated ? wide.Complement() : narrow;
    }

    private (CharacterSet Narrow, CharacterSet Wide) ReadClassMember()
    {
        if (TryTake('\\'))
            return AtEnd ? throw Fail("a '\\' at its end") : ReadEscaped(inClass: true);
        var set = CharacterSet.Of(ReadCharacter());
        return (set, set);
    }

    // After the backslash. The wide set is what a negation leaves out.
    private (CharacterSet Narrow, CharacterSet Wide) ReadEscaped(bool inClass = false)
    {
        char escaped = _text[_position++];
        switch (escaped)
        {
            case 's':
                return (CharacterClasses.Space, CharacterClasses.AnySpace);
            case 'S':
                return (CharacterClasses.AnySpace.Complement(), CharacterClasses.Space.Complement());
        }

        CharacterSet set = escaped switch
        {
            'd' => CharacterClasses.Digit,
            'D' => CharacterClasses.Digit.Complement(),
            'w' => CharacterClasses.Word,
            'W' => CharacterClasses.Word.Complement(),
            't' => CharacterSet.Of('\t'),
            'n' => CharacterSet.Of('\n'),
            'r' => CharacterSet.Of('\r'),
            'f' => CharacterSet.Of('\f'),
            'v' => CharacterSet.Of('\v'),
            '0' => CharacterSet.Of('\0'),
            'b' when inClass => CharacterSet.Of('\b'),
            'x' => CharacterSet.Of(ReadHex(2)),
            'u' => CharacterSet.Of(ReadUnicode()),
            'c' when !AtEnd && char.IsAsciiLetter(_text[_position]) => CharacterSet.Of(_text[_position++] % 32),
            'p' => ReadCategory(),
            'P' => ReadCategory().Complement(),
            _ when char.IsAsciiLetterOrDigit(escaped) => throw Fail($"the escape '\\{escaped}'"),
            _ => CharacterSet.Of(StepBack()),
        };
        return (set, set);
    }

    private int StepBack()
    {
        _position--;
        return ReadCharacter();
    }

    private CharacterSet ReadCategory()
    {
        int end = Looks("{") ? _text.IndexOf('}', _position) : -1;
        if (end < 0)
            throw Fail("a Unicode property without its name in braces");
        string name = _text[(_position + 1)..end];
        CharacterSet set = CharacterClasses.OfCategory(name) ?? throw Fail($"the Unicode property '{name}'; general categories such as L, Lu or Nd are known");
        _position = end + 1;
        return set;
    }

    private int ReadUnicode()
    {
        if (TryTake('{'))
        {
            int end = _text.IndexOf('}', _position);
            int character = end < 0 ? -1 : ReadHex(end - _position);
            Expect('}');
            return Rune.IsValid(character) ? character : throw Fail("an escape of what is no Unicode character");
        }

        int unit = ReadHex(4);
        if (char.IsHighSurrogate((char)unit) && Looks("\\u"))
        {
            _position += 2;
            int low = ReadHex(4);
            return char.IsLowSurrogate((char)low) ? char.ConvertToUtf32((char)unit, (char)low) : throw Fail("half a surrogate pair");
        }

        return Rune.IsValid(unit) ? unit : throw Fail("half a surrogate pair");
    }

    private int ReadHex(int digits)
    {
        ReadOnlySpan<char> text = _text.AsSpan(_position, Math.Min(digits, _text.Length - _position));
        if (digits > 6 || text.Length < digits || !int.TryParse(text, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out int value))
            throw Fail($"an escape without its {digits} hexadecimal digits");
        _position += digits;
        return value;
    }

    private int ReadCharacter()
    {
        Rune.DecodeFromUtf16(_text.AsSpan(_position), out Rune rune, out int length);
        _position += length;
        return rune.Value;
    }
}
