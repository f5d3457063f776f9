namespace KvTiers.Inference.Tokens.Templates;

/// <summary>Jinja's tests, what follows <c>is</c>.</summary>
internal static class TemplateTests
{
    private const string Names =
        "boolean, callable, defined, divisibleby, eq, equalto, even, false, float, ge, gt, in, integer, iterable, le, lower, lt, mapping, ne, none, number, odd, sequence, string, true, undefined, upper";

    public static bool Holds(string name, object? value, IReadOnlyList<object?> arguments, TemplateBudget budget)
    {
        string? comparison = name switch
        {
            "eq" or "equalto" or "==" => "==",
            "ne" or "!=" => "!=",
            "lt" or "lessthan" or "<" => "<",
            "le" or "<=" => "<=",
            "gt" or "greaterthan" or ">" => ">",
            "ge" or ">=" => ">=",
            "in" => "in",
            _ => null,
        };
        int wanted = comparison is not null || name == "divisibleby" ? 1 : 0;
        if (arguments.Count != wanted)
            throw new TemplateException(0, $"the test '{name}' takes {wanted} arguments, not {arguments.Count}");
        if (comparison is not null)
            return TemplateComparison.Compare(comparison, value, arguments[0], budget);
        return name switch
        {
            "defined" => value is not TemplateUndefined,
            "undefined" => value is TemplateUndefined,
            "none" => value is null,
            "string" => value is TemplateText,
            "mapping" => value is TemplateMap,
            "iterable" => value is TemplateText or List<object?> or TemplateMap or TemplateUndefined,
            "sequence" => value is TemplateText or List<object?> or TemplateMap or TemplateUndefined,
            "number" => value is long or double or bool,
            "integer" => value is long,
            "float" => value is double,
            "boolean" => value is bool,
            "true" => value is true,
            "false" => value is false,
            "callable" => value is TemplateFunction,
            "odd" => Modulo(value, 2L) != 0,
            "even" => Modulo(value, 2L) == 0,
            "divisibleby" => Modulo(value, arguments[0]) == 0,
            "lower" => IsCase(value, lower: true, budget),
            "upper" => IsCase(value, lower: false, budget),
            _ => throw new TemplateException(0, $"the test '{name}' is not supported; supported: {Names}"),
        };
    }

    private static bool IsCase(object? value, bool lower, TemplateBudget budget)
    {
        string text = TemplateOperations.ToText(value).Value;
        budget.MakeText(2L * text.Length, 0);
        budget.Scan(text.Length);
        string allLower = text.ToLowerInvariant(), allUpper = text.ToUpperInvariant();
        return text == (lower ? allLower : allUpper) && text != (lower ? allUpper : allLower);
    }

    private static double Modulo(object? value, object? divisor) => TemplateArithmetic.Binary("%", value, divisor) switch
    {
        long whole => whole,
        double number => number,
        _ => double.NaN,
    };
}
