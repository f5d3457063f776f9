namespace KvTiers.Inference.Tokens.Templates;

/// <content>Statements: text, output, and what stands between {% and %}.</content>
internal sealed partial class TemplateParser
{
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
        var names = new HashSet<string>(StringComparer.Ordinal);
        ExpectOperator("(");
        while (!TakeOperator(")"))
        {
            if (parameters.Count > 0)
                ExpectOperator(",");
            string parameter = Expect(TokenKind.Name).Text;
            if (!names.Add(parameter))
                throw new TemplateException(line, $"the macro '{name}' has two parameters '{parameter}'");
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
}
