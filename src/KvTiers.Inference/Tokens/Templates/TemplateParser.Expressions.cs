namespace KvTiers.Inference.Tokens.Templates;

/// <content>Expressions with two operands and more, the loosest binding first.</content>
internal sealed partial class TemplateParser
{
    // The loosest binding first.
    private static readonly string[][] Levels = [["+", "-"], ["~"], ["*", "/", "//", "%"], ["**"]];

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
        int links = 0;
        while (TakeName("if"))
        {
            Link(ref links);
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
        for (int links = 0; TakeName("or"); Link(ref links))
            left = new BinaryExpression(left.Line, "or", left, And());
        return left;
    }

    private Expression And()
    {
        Expression left = Not();
        for (int links = 0; TakeName("and"); Link(ref links))
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
        Expression first = Binary(0);
        List<(string Operator, Expression Operand)>? rest = null;
        while (true)
        {
            TemplateToken token = Current;
            if (token is { Kind: TokenKind.Operator, Text: "==" or "!=" or "<" or "<=" or ">" or ">=" })
            {
                _position++;
                (rest ??= []).Add((token.Text, Binary(0)));
            }
            else if (TakeName("in"))
            {
                (rest ??= []).Add(("in", Binary(0)));
            }
            else if (token is { Kind: TokenKind.Name, Text: "not" } && _tokens[_position + 1] is { Kind: TokenKind.Name, Text: "in" })
            {
                _position += 2;
                (rest ??= []).Add(("not in", Binary(0)));
            }
            else
            {
                return rest is null ? first : new CompareExpression(first.Line, first, rest);
            }
        }
    }

    private Expression Binary(int level)
    {
        if (level == Levels.Length)
            return Unary(filtered: true);
        Expression left = Binary(level + 1);
        for (int links = 0; Current.Kind == TokenKind.Operator && Levels[level].Contains(Current.Text); Link(ref links))
        {
            string symbol = Current.Text;
            _position++;
            left = new BinaryExpression(left.Line, symbol, left, Binary(level + 1));
        }

        return left;
    }
}
