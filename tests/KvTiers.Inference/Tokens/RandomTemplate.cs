using System.Text;

namespace KvTiers.Inference.Tests.Tokens;

/// <summary>Writes templates of everything that the interpreter knows, put together at random.</summary>
internal sealed class RandomTemplate(int seed)
{
    private static readonly string[] Names = ["a", "b", "c", "ns", "messages", "tools", "loop", "m", "absent"];
    private static readonly string[] Literals =
        ["0", "1", "-1", "7", "9223372036854775807", "-9223372036854775807", "0.5", "1.5", "'x'", "''", "'<|im_end|>'", "' a b\\n'", "'\\U0001F642'", "true", "none", "[]", "{}", "['x', 1]", "{'k': 'v'}"];
    private static readonly string[] Operators = ["+", "-", "*", "/", "//", "%", "**", "~", "==", "!=", "<", "<=", ">", ">=", "in", "not in", "and", "or"];
    private static readonly string[] Filters =
    [
        "abs", "capitalize", "count", "d('x')", "default(1, true)", "first", "float", "int", "items", "join", "join(',')", "join(attribute='k')", "last", "length", "list", "lower", "map('upper')",
        "map(attribute='content')", "reject('odd')", "rejectattr('role')", "replace('x', 'yy')", "replace('', 'z')", "reverse", "safe", "select", "selectattr('role', 'equalto', 'user')", "string",
        "title", "tojson", "tojson(indent=2)", "trim", "trim('x')", "unique", "upper", "nofilter",
    ];
    private static readonly string[] Tests = ["defined", "undefined", "none", "string", "mapping", "iterable", "number", "odd", "even", "divisibleby 2", "eq 1", "in [1]", "lower", "upper", "callable", "true", "notest"];
    private static readonly string[] Methods =
    [
        "strip()", "lstrip('x')", "rstrip()", "upper()", "capitalize()", "title()", "startswith('x')", "endswith(['x', 'y'])", "removeprefix('x')", "removesuffix('x')", "replace('x', 'y', 1)", "split()",
        "split('x', 2)", "splitlines()", "join(['x', 'y'])", "find('x')", "count('x')", "isdigit()", "isspace()", "get('k')", "get('q', 1)", "items()", "keys()", "values()", "append(1)", "pop()", "nomethod()",
    ];

    private readonly Random _random = new(seed);

    public string Write()
    {
        var text = new StringBuilder("{% set ns = namespace(a=1) %}{% macro m(x='d', y=1) %}{{ x }}{{ y }}{% endmacro %}");
        for (int i = 0; i < 1 + (seed % 3); i++)
            Statement(text, 2);
        return text.ToString();
    }

    private void Statement(StringBuilder text, int depth)
    {
        switch (_random.Next(depth == 0 ? 3 : 7))
        {
            case 0:
                text.Append(" data ");
                break;
            case 1:
                text.Append("{{ ").Append(Expression(_random.Next(3))).Append(" }}");
                break;
            case 2:
                text.Append("{% set ").Append(_random.Next(3) == 0 ? "ns.a" : One("a", "b", "c")).Append(" = ").Append(Expression(_random.Next(3))).Append(" %}");
                break;
            case 3:
                text.Append("{% if ").Append(Expression(_random.Next(3))).Append(" %}");
                Statement(text, depth - 1);
                text.Append("{% else %}");
                Statement(text, depth - 1);
                text.Append("{% endif %}");
                break;
            case 4:
                text.Append("{% for ").Append(One("a", "a, b")).Append(" in ").Append(Expression(_random.Next(3))).Append(_random.Next(3) == 0 ? " if a" : "").Append(" %}");
                Statement(text, depth - 1);
                text.Append(One("", "{% break %}", "{{ loop.index }}", "{{ loop.previtem }}")).Append("{% endfor %}");
                break;
            case 5:
                text.Append("{% set b %}");
                Statement(text, depth - 1);
                text.Append("{% endset %}");
                break;
            default:
                text.Append("{{ m(").Append(Expression(_random.Next(3))).Append(One("", ", y=2", ", 3, 4")).Append(") }}");
                break;
        }
    }

    private string Expression(int depth) => _random.Next(depth == 0 ? 2 : 12) switch
    {
        0 => One(Names),
        1 => One(Literals),
        2 => $"({Expression(depth - 1)} {One(Operators)} {Expression(depth - 1)})",
        3 => $"({Expression(depth - 1)}) | {One(Filters)}",
        4 => $"({Expression(depth - 1)} is {One("", "not ")}{One(Tests)})",
        5 => $"({Expression(depth - 1)}).{One(Methods)}",
        6 => $"({Expression(depth - 1)})[{Expression(depth - 1)}]",
        7 => $"({Expression(depth - 1)})[{One("", Expression(depth - 1))}:{One("", Expression(depth - 1))}{One("", ":2", ":-1", ":9223372036854775807", ":0")}]",
        8 => $"({Expression(depth - 1)} if {Expression(depth - 1)} else {Expression(depth - 1)})",
        9 => $"[{Expression(depth - 1)}, {Expression(depth - 1)}]",
        10 => $"range({Expression(depth - 1)}, {Expression(depth - 1)})",
        _ => $"{One("not ", "-", "+")}({Expression(depth - 1)})",
    };

    private string One(params string[] choices) => choices[_random.Next(choices.Length)];
}
