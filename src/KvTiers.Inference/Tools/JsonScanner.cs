namespace KvTiers.Inference.Tools;

/// <summary>Checks one JSON value character by character, as RFC 8259 has it, and says where members and values begin and end.</summary>
internal sealed class JsonScanner
{
    private const int MaxDepth = 64;
    private const string NumberEnds = "0ifx";

    private readonly Stack<char> _open = new();
    private Expected _expected = Expected.Value;
    private Inside _inside;
    private bool _isKey;
    private int _left;
    private string _literal = "";
    private char _number;

    private enum Expected
    {
        Value,
        ValueOrEnd,
        Key,
        KeyOrEnd,
        Colon,
        CommaOrEnd,
        Nothing,
    }

    private enum Inside
    {
        Nothing,
        String,
        Escape,
        Hex,
        Literal,
        Number,
    }

    /// <summary>Objects and arrays that are open.</summary>
    public int Depth => _open.Count;

    /// <summary>Takes the next character. Nothing may follow an invalid one.</summary>
    public JsonStep Push(char c)
    {
        switch (_inside)
        {
            case Inside.String:
                return InString(c);
            case Inside.Escape:
                _inside = c == 'u' ? Inside.Hex : Inside.String;
                _left = 4;
                return "\"\\/bfnrtu".Contains(c) ? JsonStep.None : JsonStep.Invalid;
            case Inside.Hex:
                _inside = --_left == 0 ? Inside.String : Inside.Hex;
                return char.IsAsciiHexDigit(c) ? JsonStep.None : JsonStep.Invalid;
            case Inside.Literal:
                return InLiteral(c);
            case Inside.Number:
                return InNumber(c);
            default:
                return Structure(c);
        }
    }

    private JsonStep InString(char c)
    {
        if (c < ' ')
            return JsonStep.Invalid;
        if (c == '\\')
            _inside = Inside.Escape;
        if (c != '"')
            return JsonStep.None;
        _inside = Inside.Nothing;
        if (!_isKey)
            return EndValue();
        _expected = Expected.Colon;
        return JsonStep.KeyEnd;
    }

    private JsonStep InLiteral(char c)
    {
        if (c != _literal[^_left])
            return JsonStep.Invalid;
        if (--_left > 0)
            return JsonStep.None;
        _inside = Inside.Nothing;
        return EndValue();
    }

    // The states of a number: - sign, 0 zero, i whole, . point, f fraction, e exponent's letter, s its sign, x exponent.
    private JsonStep InNumber(char c)
    {
        bool isDigit = char.IsAsciiDigit(c);
        char next = (_number, c) switch
        {
            ('-', '0') => '0',
            ('-' or 'i', _) when isDigit => 'i',
            ('0' or 'i', '.') => '.',
            ('.' or 'f', _) when isDigit => 'f',
            ('0' or 'i' or 'f', 'e' or 'E') => 'e',
            ('e', '+' or '-') => 's',
            ('e' or 's' or 'x', _) when isDigit => 'x',
            _ => '\0',
        };
        if (next != '\0')
        {
            _number = next;
            return JsonStep.None;
        }

        if (!NumberEnds.Contains(_number))
            return JsonStep.Invalid;
        _inside = Inside.Nothing;
        EndValue();
        return JsonStep.NumberEnd | Structure(c);
    }

    private JsonStep Structure(char c)
    {
        if (c is ' ' or '\t' or '\n' or '\r')
            return JsonStep.None;
        switch (_expected)
        {
            case Expected.ValueOrEnd when c == ']':
            case Expected.KeyOrEnd when c == '}':
            case Expected.CommaOrEnd when c == (_open.Peek() == '{' ? '}' : ']'):
                _open.Pop();
                return EndValue();
            case Expected.Value or Expected.ValueOrEnd:
                return BeginValue(c);
            case Expected.Key or Expected.KeyOrEnd when c == '"':
                _isKey = true;
                _inside = Inside.String;
                return JsonStep.KeyStart;
            case Expected.Colon when c == ':':
                _expected = Expected.Value;
                return JsonStep.None;
            case Expected.CommaOrEnd when c == ',':
                _expected = _open.Peek() == '{' ? Expected.Key : Expected.Value;
                return JsonStep.None;
            default:
                return JsonStep.Invalid;
        }
    }

    private JsonStep BeginValue(char c)
    {
        switch (c)
        {
            case '"':
                _isKey = false;
                _inside = Inside.String;
                return JsonStep.ValueStart;
            case '{' or '[' when _open.Count < MaxDepth:
                _open.Push(c);
                _expected = c == '{' ? Expected.KeyOrEnd : Expected.ValueOrEnd;
                return JsonStep.ValueStart;
            case 't' or 'f' or 'n':
                _literal = c == 't' ? "true" : c == 'f' ? "false" : "null";
                _left = _literal.Length - 1;
                _inside = Inside.Literal;
                return JsonStep.ValueStart;
            case '-' or (>= '0' and <= '9'):
                _number = c is '-' or '0' ? c : 'i';
                _inside = Inside.Number;
                return JsonStep.ValueStart;
            default:
                return JsonStep.Invalid;
        }
    }

    private JsonStep EndValue()
    {
        _expected = _open.Count == 0 ? Expected.Nothing : Expected.CommaOrEnd;
        return JsonStep.ValueEnd;
    }
}
