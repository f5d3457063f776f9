namespace KvTiers.Inference.Tokens.Templates;

/// <content>Parses what follows an operand: attributes, subscripts, calls, filters and tests.</content>
internal sealed partial class TemplateParser
{
    private Expression Postfix(Expression value)
    {
        for (int links = 0; ; Link(ref links))
        {
            int line = Current.Line;
            if (TakeOperator("."))
            {
                TemplateToken name = Current;
                _position++;
                value = name.Kind switch
                {
                    TokenKind.Name => new AttributeExpression(line, value, name.Text),
                    TokenKind.Integer => new IndexExpression(line, value, new LiteralExpression(line, Whole(name))),
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
        HashSet<string>? names = null;
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
                if (!(names ??= new(StringComparer.Ordinal)).Add(name))
                    throw new TemplateException(Current.Line, $"the argument '{name}' is given twice");
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
        for (int links = 0; ; Link(ref links))
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
}
