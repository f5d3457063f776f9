using System.Globalization;

namespace KvTiers.Inference.Tokens.Templates;

/// <summary>Builds the syntax tree of a template, by recursive descent with Jinja's precedences.</summary>
internal sealed class TemplateParser
{
    private const int MaxDepth = 200;

    private readonly List<TemplateToken> _tokens;
    private int _position;
    private int _depth;

    private TemplateParser(List<TemplateToken> tokens) => _tokens = tokens;

    private TemplateToken Current => _tokens[_position];

    /// <exception cref="TemplateException">Something is not understood; the message names it and its line.</exception>
    public static IReadOnlyList<Statement> Parse(string source)
    {
        var parser = new TemplateParser(TemplateLexer.Read(source));
        IReadOnlyList<Statement> body = parser.Body();
        return parser.Current.Kind == TokenKind.End ? body : throw parser.Unexpected();
    }

    // Statements up to one of the given keywords, whose block start and name are taken.
    private List<Statement> Body(params string[] ends)
    {
        Enter();
        var body = new List<Statement>();
        while (true)
        {
            TemplateToken token = Current;
            switch (token.Kind)
            {
                case TokenKind.Data:
                    _position++;
                    body.Add(new DataStatement(token.Line, TemplateText.Plain(token.Text)));
                    break;
                case TokenKind.PrintStart:
                    _position++;
                    body.Add(new PrintStatement(token.Line, TupleOrExpression()));
                    Expect(TokenKind.PrintEnd);
                    break;
                case TokenKind.BlockStart:
                    if (ends.Contains(_tokens[_position + 1].Text))
                    {
                        _position++;
                        _depth--;
                        return body;
                    }

                    _position++;
                    body.Add(Block());
                    break;
                default:
                    if (ends.Length > 0)
                        throw new TemplateException(token.Line, $"the template ends, but {string.Join(" or ", ends)} is missing");
                    _depth--;
                    return body;
            }
        }
    }

    private Statement Block()
    {
        TemplateToken keyword = Expect(TokenKind.Name);
        switch (keyword.Text)
        {
            case "if":
                return If(keyword.Line);
            case "for":
                return For(keyword.Line);
            case "set":
                return Set(keyword.Line);
            case "macro":
                return Macro(keyword.Line);
            case "generation":
                Expect(TokenKind.BlockEnd);
                return new BodyStatement(keyword.Line, End(Body("endgeneration")));
            case "break":
                Expect(TokenKind.BlockEnd);
                return new BreakStatement(keyword.Line);
            case "continue":
                Expect(TokenKind.BlockEnd);
                return new ContinueStatement(keyword.Line);
            default:
                throw new TemplateException(keyword.Line, $"the statement '{keyword.Text}' is not supported; supported: if, for, set, macro, generation, break, continue");
        }
    }

    private List<Statement> End(List<Statement> body)
    {
        Expect(TokenKind.Name);
        Expect(TokenKind.BlockEnd);
        return body;
    }

    private IfStatement If(int line)
    {
        Expression condition = TupleOrExpression();
        Expect(TokenKind.BlockEnd);
        List<Statement> then = Body("elif", "else", "endif");
        TemplateToken next = Expect(TokenKind.Name);
        if (next.Text == "elif")
        {
            Enter();
            IfStatement rest = If(next.Line);
            _depth--;
            return new IfStatement(line, condition, then, [rest]);
        }

        Expect(TokenKind.BlockEnd);
        return new IfStatement(line, condition, then, next.Text == "else" ? End(Body("endif")) : []);
    }

    private ForStatement For(int line)
    {
        List<string> targets = Targets();
        ExpectName("in");
        Expression items = Or();
        if (IsOperator(","))
            throw Unexpected();
        Expression? filter = TakeName("if") ? Expression() : null;
        if (Current is { Kind: TokenKind.Name, Text: "recursive" })
            throw new TemplateException(Current.Line, "recursive loops are not supported");
        Expect(TokenKind.BlockEnd);
        List<Statement> body = Body("else", "endfor");
        if (Expect(TokenKind.Name).Text == "endfor")
        {
            Expect(TokenKind.BlockEnd);
            return new ForStatement(line, targets, items, filter, body, []);
        }

        Expect(TokenKind.BlockEnd);
        return new ForStatement(line, targets, items, filter, body, End(Body("endfor")));
    }

    private Statement Set(int line)
    {
        List<string> targets = Targets();
        string? attribute = TakeOperator(".") ? Expect(TokenKind.Name).Text : null;
        if (TakeOperator("="))
        {
            Expression value = TupleOrExpression();
            Expect(TokenKind.BlockEnd);
            return new SetStatement(line, targets, attribute, value);
        }

        if (targets.Count > 1 || attribute is not null)
            throw Unexpected();
        Expect(TokenKind.BlockEnd);
        return new SetBlockStatement(line, targets[0], End(Body("endset")));
    }

    private MacroStatement Macro(int line)
    {
        string name = Expect(TokenKind.Name).Text;
        var parameters = new List<(string Name, Expression? Default)>();
        ExpectOperator("(");
        while (!TakeOperator(")"))
        {
            if (parameters.Count > 0)
                ExpectOperator(",");
            string parameter = Expect(TokenKind.Name).Text;
            parameters.Add((parameter, TakeOperator("=") ? Expression() : null));
        }

        Expect(TokenKind.BlockEnd);
        return new MacroStatement(line, name, parameters, End(Body("endmacro")));
    }

    private List<string> Targets()
    {
        bool bracketed = TakeOperator("(");
        var names = new List<string> { Expect(TokenKind.Name).Text };
        while (TakeOperator(","))
            names.Add(Expect(TokenKind.Name).Text);
        if (bracketed)
            ExpectOperator(")");
        return names;
    }

    private Expression TupleOrExpression()
    {
        Expression first = Expression();
        if (!IsOperator(","))
            return first;
        var items = new List<Expression> { first };
        while (TakeOperator(","))
        {
            if (Current.Kind is TokenKind.BlockEnd or TokenKind.PrintEnd || IsOperator(")"))
                break;
            items.Add(Expression());
        }

        return new ListExpression(first.Line, items);
    }

    private Expression Expression()
    {
        Enter();
        Expression value = Or();
        while (TakeName("if"))
        {
            Expression condition = Or();
            Expression? otherwise = TakeName("else") ? Expression() : null;
            value = new ConditionalExpression(value.Line, condition, value, otherwise);
        }

        _depth--;
        return value;
    }

    private Expression Or()
    {
        Expression left = And();
        while (TakeName("or"))
            left = new BinaryExpression(left.Line, "or", left, And());
        return left;
    }

    private Expression And()
    {
        Expression left = Not();
        while (TakeName("and"))
            left = new BinaryExpression(left.Line, "and", left, Not());
        return left;
    }

    private Expression Not()
    {
        int line = Current.Line;
        if (!TakeName("not"))
            return Compare();
        Enter();
        Expression value = Not();
        _depth--;
        return new UnaryExpression(line, "not", value);
    }

    private Expression Compare()
    {
        Expression first = Sum();
        var rest = new List<(string Operator, Expression Operand)>();
        while (true)
        {
            TemplateToken token = Current;
            if (token is { Kind: TokenKind.Operator, Text: "==" or "!=" or "<" or "<=" or ">" or ">=" })
            {
                _position++;
                rest.Add((token.Text, Sum()));
            }
            else if (TakeName("in"))
            {
                rest.Add(("in", Sum()));
            }
            else if (token is { Kind: TokenKind.Name, Text: "not" } && _tokens[_position + 1] is { Kind: TokenKind.Name, Text: "in" })
            {
                _position += 2;
                rest.Add(("not in", Sum()));
            }
            else
            {
                return rest.Count == 0 ? first : new CompareExpression(first.Line, first, rest);
            }
        }
    }

    private Expression Sum() => LeftAssociative(Concatenation, "+", "-");

    private Expression Concatenation() => LeftAssociative(Product, "~");

    private Expression Product() => LeftAssociative(Power, "*", "/", "//", "%");

    private Expression Power() => LeftAssociative(() => Unary(filtered: true), "**");

    private Expression LeftAssociative(Func<Expression> operand, params string[] operators)
    {
        Expression left = operand();
        while (Current.Kind == TokenKind.Operator && operators.Contains(Current.Text))
        {
            string symbol = Current.Text;
            _position++;
            left = new BinaryExpression(left.Line, symbol, left, operand());
        }

        return left;
    }

    private Expression Unary(bool filtered)
    {
        Enter();
        TemplateToken token = Current;
        Expression value;
        if (token is { Kind: TokenKind.Operator, Text: "-" or "+" })
        {
            _position++;
            value = new UnaryExpression(token.Line, token.Text, Unary(filtered: false));
        }
        else
        {
            value = Primary();
        }

        value = Postfix(value);
        if (filtered)
            value = FiltersAndTests(value);
        _depth--;
        return value;
    }

    private Expression Primary()
    {
        TemplateToken token = Current;
        _position++;
        switch (token.Kind)
        {
            case TokenKind.Name:
                return token.Text switch
                {
                    "true" or "True" => new LiteralExpression(token.Line, true),
                    "false" or "False" => new LiteralExpression(token.Line, false),
                    "none" or "None" => new LiteralExpression(token.Line, null),
                    _ => new NameExpression(token.Line, token.Text),
                };
            case TokenKind.String:
                string text = token.Text;
                while (Current.Kind == TokenKind.String)
                    text += _tokens[_position++].Text;
                return new LiteralExpression(token.Line, TemplateText.Plain(text));
            case TokenKind.Integer:
                return long.TryParse(token.Text, NumberStyles.None, CultureInfo.InvariantCulture, out long whole)
                    ? new LiteralExpression(token.Line, whole)
                    : throw new TemplateException(token.Line, $"the number {token.Text} is too large");
            case TokenKind.Float:
                return new LiteralExpression(token.Line, double.Parse(token.Text, CultureInfo.InvariantCulture));
            case TokenKind.Operator when token.Text == "(":
                if (TakeOperator(")"))
                    return new ListExpression(token.Line, []);
                Expression inner = TupleOrExpression();
                ExpectOperator(")");
                return inner;
            case TokenKind.Operator when token.Text == "[":
                return new ListExpression(token.Line, Items("]"));
            case TokenKind.Operator when token.Text == "{":
                return Map(token.Line);
            default:
                _position--;
                throw Unexpected();
        }
    }

    private List<Expression> Items(string close)
    {
        var items = new List<Expression>();
        while (!TakeOperator(close))
        {
            if (items.Count > 0)
            {
                ExpectOperator(",");
                if (TakeOperator(close))
                    break;
            }

            items.Add(Expression());
        }

        return items;
    }

    private MapExpression Map(int line)
    {
        var entries = new List<(Expression Key, Expression Value)>();
        while (!TakeOperator("}"))
        {
            if (entries.Count > 0)
            {
                ExpectOperator(",");
                if (TakeOperator("}"))
                    break;
            }

            Expression key = Expression();
            ExpectOperator(":");
            entries.Add((key, Expression()));
        }

        return new MapExpression(line, entries);
    }

    private Expression Postfix(Expression value)
    {
        while (true)
        {
            int line = Current.Line;
            if (TakeOperator("."))
            {
                TemplateToken name = Current;
                _position++;
                value = name.Kind switch
                {
                    TokenKind.Name => new AttributeExpression(line, value, name.Text),
                    TokenKind.Integer => new IndexExpression(line, value, new LiteralExpression(line, long.Parse(name.Text, CultureInfo.InvariantCulture))),
                    _ => throw new TemplateException(line, "a name must follow '.'"),
                };
            }
            else if (TakeOperator("["))
            {
                value = Subscript(line, value);
            }
            else if (TakeOperator("("))
            {
                value = new CallExpression(line, value, Arguments());
            }
            else
            {
                return value;
            }
        }
    }

    private Expression Subscript(int line, Expression target)
    {
        Expression? start = IsOperator(":") ? null : Expression();
        if (start is not null && TakeOperator("]"))
            return new IndexExpression(line, target, start);
        ExpectOperator(":");
        Expression? end = IsOperator(":") || IsOperator("]") ? null : Expression();
        Expression? step = TakeOperator(":") && !IsOperator("]") ? Expression() : null;
        ExpectOperator("]");
        return new SliceExpression(line, target, start, end, step);
    }

    // The opening bracket is taken.
    private CallArguments Arguments()
    {
        var positional = new List<Expression>();
        var named = new List<(string Name, Expression Value)>();
        while (!TakeOperator(")"))
        {
            if (positional.Count + named.Count > 0)
            {
                ExpectOperator(",");
                if (TakeOperator(")"))
                    break;
            }

            if (Current.Kind == TokenKind.Name && _tokens[_position + 1] is { Kind: TokenKind.Operator, Text: "=" })
            {
                string name = Current.Text;
                _position += 2;
                named.Add((name, Expression()));
            }
            else if (named.Count > 0)
            {
                throw Unexpected();
            }
            else
            {
                positional.Add(Expression());
            }
        }

        return new CallArguments(positional, named);
    }

    private Expression FiltersAndTests(Expression value)
    {
        while (true)
        {
            int line = Current.Line;
            if (TakeOperator("|"))
            {
                string name = Expect(TokenKind.Name).Text;
                value = new FilterExpression(line, value, name, TakeOperator("(") ? Arguments() : CallArguments.None);
            }
            else if (TakeName("is"))
            {
                bool negated = TakeName("not");
                string name = Expect(TokenKind.Name).Text;
                value = new TestExpression(line, value, name, TestArguments(), negated);
            }
            else
            {
                return value;
            }
        }
    }

    // A test takes its arguments in brackets, or one operand without.
    private CallArguments TestArguments()
    {
        if (TakeOperator("("))
            return Arguments();
        bool operand = Current.Kind is TokenKind.String or TokenKind.Integer or TokenKind.Float
            || Current is { Kind: TokenKind.Name, Text: not ("else" or "or" or "and" or "is" or "if" or "not" or "in") }
            || IsOperator("[") || IsOperator("{");
        return operand ? new CallArguments([Postfix(Primary())], []) : CallArguments.None;
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
