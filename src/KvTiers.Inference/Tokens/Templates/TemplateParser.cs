namespace KvTiers.Inference.Tokens.Templates;

/// <summary>Builds the syntax tree of a template, by recursive descent with Jinja's precedences.</summary>
internal sealed partial class TemplateParser
{
    /// <summary>Longest template, in UTF-16 units.</summary>
    public const int MaxLength = 1 << 17;

    private const int MaxDepth = 200;
    private const int MaxChain = 200;

    private readonly List<TemplateToken> _tokens;
    private int _position;
    private int _depth;

    private TemplateParser(List<TemplateToken> tokens) => _tokens = tokens;

    private TemplateToken Current => _tokens[_position];

    /// <exception cref="TemplateException">Something is not understood; the message names it and its line.</exception>
    public static IReadOnlyList<Statement> Parse(string source)
    {
        if (source.Length > MaxLength)
            throw new TemplateException(0, $"has {source.Length} characters, more than {MaxLength}");
        var parser = new TemplateParser(TemplateLexer.Read(source));
        IReadOnlyList<Statement> body = parser.Body();
        return parser.Current.Kind == TokenKind.End ? body : throw parser.Unexpected();
    }

    private bool IsOperator(string text) => Current.Kind == TokenKind.Operator && Current.Text == text;

    private bool TakeOperator(string text)
    {
        if (!IsOperator(text))
            return false;
        _position++;
        return true;
    }

    private bool TakeName(string text)
    {
        if (Current.Kind != TokenKind.Name || Current.Text != text)
            return false;
        _position++;
        return true;
    }

    private void ExpectOperator(string text)
    {
        if (!TakeOperator(text))
            throw Unexpected($"'{text}'");
    }

    private void ExpectName(string text)
    {
        if (!TakeName(text))
            throw Unexpected($"'{text}'");
    }

    private TemplateToken Expect(TokenKind kind)
    {
        if (Current.Kind != kind)
            throw Unexpected(Describe(kind, ""));
        return _tokens[_position++];
    }

    private void Enter()
    {
        if (++_depth > MaxDepth)
            throw new TemplateException(Current.Line, $"nested more than {MaxDepth} deep");
    }

    // One more link of what is parsed one after the other and stands inside each other in the tree.
    private void Link(ref int links)
    {
        if (++links > MaxChain)
            throw new TemplateException(Current.Line, $"more than {MaxChain} operators, members or filters follow each other");
    }

    private TemplateException Unexpected(string? wanted = null) =>
        new(Current.Line, $"unexpected {Describe(Current.Kind, Current.Text)}{(wanted is null ? "" : $", expected {wanted}")}");

    private static string Describe(TokenKind kind, string text) => kind switch
    {
        TokenKind.BlockStart => "'{%'",
        TokenKind.BlockEnd => "'%}'",
        TokenKind.PrintStart => "'{{'",
        TokenKind.PrintEnd => "'}}'",
        TokenKind.End => "end of the template",
        TokenKind.Name when text.Length == 0 => "a name",
        _ => $"'{text}'",
    };
}
