using System.Globalization;
using System.Text;

namespace KvTiers.Inference.Tokens.Templates;

/// <content>Operands: signs, literals, names, lists and maps.</content>
internal sealed partial class TemplateParser
{
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
                return new LiteralExpression(token.Line, TemplateText.Plain(Literal(token.Text)));
            case TokenKind.Integer:
                return new LiteralExpression(token.Line, Whole(token));
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

    private static long Whole(TemplateToken token) => long.TryParse(token.Text, NumberStyles.None, CultureInfo.InvariantCulture, out long whole)
        ? whole
        : throw new TemplateException(token.Line, $"the number {token.Text} is too large");

    // Texts that follow each other are one.
    private string Literal(string first)
    {
        if (Current.Kind != TokenKind.String)
            return first;
        var text = new StringBuilder(first);
        while (Current.Kind == TokenKind.String)
            text.Append(_tokens[_position++].Text);
        return text.ToString();
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
}
