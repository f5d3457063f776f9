namespace KvTiers.Inference.Tokens.Templates;

/// <content>Expressions with two operands and more, the loosest binding first.</content>
internal sealed partial class TemplateParser
{
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
}
