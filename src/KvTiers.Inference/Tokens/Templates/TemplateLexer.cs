using System.Globalization;
using System.Text;

namespace KvTiers.Inference.Tokens.Templates;

/// <summary>
/// Cuts a template into tokens, with the white-space rules that Hugging Face sets: the first line break after a block is dropped
/// (<c>trim_blocks</c>), blanks before a block that begins its line are dropped (<c>lstrip_blocks</c>), <c>-</c> strips all white space, <c>+</c> keeps it.
/// </summary>
internal sealed class TemplateLexer
{
    // Longest first, so that the first that fits is the longest.
    private static readonly string[] Operators =
        ["**", "//", "==", "!=", "<=", ">=", "+", "-", "*", "/", "%", "~", "<", ">", "=", "(", ")", "[", "]", "{", "}", ",", ":", ".", "|", ";"];

    private readonly string _source;
    private readonly List<TemplateToken> _tokens = [];
    private readonly Stack<char> _brackets = [];
    private int _position;
    private int _line = 1;

    private TemplateLexer(string source) => _source = source;

    /// <summary>The tokens, the last of which is <see cref="TokenKind.End"/>.</summary>
    /// <exception cref="TemplateException">A tag, comment or string does not end, or a character belongs to nothing.</exception>
    public static List<TemplateToken> Read(string source)
    {
        string normalized = source.Replace("\r\n", "\n", StringComparison.Ordinal).Replace('\r', '\n');
        if (normalized.EndsWith('\n'))
            normalized = normalized[..^1];
        var lexer = new TemplateLexer(normalized);
        lexer.ReadAll();
        return lexer._tokens;
    }

    private void ReadAll()
    {
        bool lineStart = true;
        bool stripNext = false;
        while (_position < _source.Length)
        {
            int tag = NextTag(_position);
            ReadData(tag, lineStart, stripNext);
            if (tag == _source.Length)
                break;

            char kind = _source[tag + 1];
            Advance(2);
            if (_position < _source.Length && _source[_position] is '-' or '+')
                Advance(1);
            switch (kind)
            {
                case '#':
                    SkipComment();
                    break;
                case '{':
                    ReadTag(TokenKind.PrintStart, TokenKind.PrintEnd, "}}");
                    break;
                default:
                    ReadTag(TokenKind.BlockStart, TokenKind.BlockEnd, "%}");
                    break;
            }

            char before = _source[_position - 3];
            stripNext = before == '-';
            lineStart = false;
            if (kind != '{' && !stripNext && before != '+' && _position < _source.Length && _source[_position] == '\n')
            {
                Advance(1);
                lineStart = true;
            }
        }

        Add(TokenKind.End, "");
    }

    private int NextTag(int from)
    {
        for (int i = from; i + 1 < _source.Length; i++)
        {
            if (_source[i] == '{' && _source[i + 1] is '{' or '%' or '#')
                return i;
        }

        return _source.Length;
    }

    private void ReadData(int end, bool lineStart, bool stripStart)
    {
        int start = _position;
        int stop = end;
        if (end < _source.Length)
        {
            char mark = end + 2 < _source.Length ? _source[end + 2] : '\0';
            if (mark == '-')
            {
                while (stop > start && char.IsWhiteSpace(_source[stop - 1]))
                    stop--;
            }
            else if (mark != '+' && _source[end + 1] != '{')
            {
                int line = stop;
                while (line > start && _source[line - 1] != '\n' && char.IsWhiteSpace(_source[line - 1]))
                    line--;
                if (line > start ? _source[line - 1] == '\n' : lineStart)
                    stop = line;
            }
        }

        int from = start;
        while (stripStart && from < stop && char.IsWhiteSpace(_source[from]))
            from++;
        if (from < stop)
            Add(TokenKind.Data, _source[from..stop]);
        Advance(end - start);
    }

    private void SkipComment()
    {
        int end = _source.IndexOf("#}", _position, StringComparison.Ordinal);
        if (end < 0)
            throw new TemplateException(_line, "the comment {# does not end");
        Advance(end + 2 - _position);
    }

    private void ReadTag(TokenKind start, TokenKind end, string close)
    {
        int line = _line;
        Add(start, "");
        while (true)
        {
            while (_position < _source.Length && char.IsWhiteSpace(_source[_position]))
                Advance(1);
            if (_position >= _source.Length)
                throw new TemplateException(line, $"the tag does not end with {close}");
            bool signed = _source[_position] is '-' or '+';
            if (_brackets.Count == 0 && (At(close, 0) || (signed && At(close, 1))))
            {
                Add(end, "");
                Advance(close.Length + (signed ? 1 : 0));
                return;
            }

            ReadToken();
        }
    }

    private bool At(string text, int offset) => string.CompareOrdinal(_source, _position + offset, text, 0, text.Length) == 0;

    private void ReadToken()
    {
        char first = _source[_position];
        if (first is '"' or '\'')
        {
            ReadString(first);
        }
        else if (char.IsAsciiDigit(first))
        {
            ReadNumber();
        }
        else if (first == '_' || char.IsLetter(first))
        {
            int end = _position;
            while (end < _source.Length && (_source[end] == '_' || char.IsLetterOrDigit(_source[end])))
                end++;
            Add(TokenKind.Name, _source[_position..end]);
            Advance(end - _position);
        }
        else
        {
            string symbol = Array.Find(Operators, candidate => At(candidate, 0)) ?? throw new TemplateException(_line, $"unexpected character '{first}'");
            Balance(symbol[0]);
            Add(TokenKind.Operator, symbol);
            Advance(symbol.Length);
        }
    }

    private void Balance(char symbol)
    {
        if (symbol is '(' or '[' or '{')
            _brackets.Push(symbol);
        else if (symbol is ')' or ']' or '}' && (!_brackets.TryPop(out char open) || (open, symbol) is not (('(', ')') or ('[', ']') or ('{', '}'))))
            throw new TemplateException(_line, $"unexpected '{symbol}'");
    }

    private void ReadNumber()
    {
        int end = _position;
        while (end < _source.Length && (char.IsAsciiDigit(_source[end]) || _source[end] == '_'))
            end++;
        bool fraction = end + 1 < _source.Length && _source[end] == '.' && char.IsAsciiDigit(_source[end + 1]);
        if (fraction)
        {
            end++;
            while (end < _source.Length && char.IsAsciiDigit(_source[end]))
                end++;
        }

        Add(fraction ? TokenKind.Float : TokenKind.Integer, _source[_position..end].Replace("_", "", StringComparison.Ordinal));
        Advance(end - _position);
    }

    private void ReadString(char quote)
    {
        int line = _line;
        var text = new StringBuilder();
        Advance(1);
        while (true)
        {
            if (_position >= _source.Length)
                throw new TemplateException(line, "a string does not end");
            char c = _source[_position];
            Advance(1);
            if (c == quote)
                break;
            if (c == '\\' && _position < _source.Length)
                ReadEscape(text);
            else
                text.Append(c);
        }

        Add(TokenKind.String, text.ToString(), line);
    }

    // Python's escapes; an unknown one keeps its backslash.
    private void ReadEscape(StringBuilder text)
    {
        char c = _source[_position];
        Advance(1);
        switch (c)
        {
            case 'n': text.Append('\n'); break;
            case 't': text.Append('\t'); break;
            case 'r': text.Append('\r'); break;
            case '\\' or '\'' or '"': text.Append(c); break;
            case '\n': break;
            case 'x': AppendHex(text, 2); break;
            case 'u': AppendHex(text, 4); break;
            case 'U': AppendHex(text, 8); break;
            case 'a' or 'b' or 'f' or 'v' or 'N' or (>= '0' and <= '7'):
                throw new TemplateException(_line, $"the escape \\{c} is not supported; \\x, \\u and \\U are");
            default: text.Append('\\').Append(c); break;
        }
    }

    private void AppendHex(StringBuilder text, int digits)
    {
        if (_position + digits > _source.Length
            || !uint.TryParse(_source.AsSpan(_position, digits), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out uint value)
            || value > 0x10FFFF)
            throw new TemplateException(_line, $"an escape needs {digits} hexadecimal digits of a character");
        Advance(digits);
        if (value > 0xFFFF)
            text.Append(char.ConvertFromUtf32((int)value));
        else
            text.Append((char)value);
    }

    private void Add(TokenKind kind, string text, int? line = null) => _tokens.Add(new TemplateToken(kind, text, line ?? _line));

    private void Advance(int count)
    {
        _line += _source.AsSpan(_position, count).Count('\n');
        _position += count;
    }
}
