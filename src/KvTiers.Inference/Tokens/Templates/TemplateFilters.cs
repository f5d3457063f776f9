using System.Globalization;

namespace KvTiers.Inference.Tokens.Templates;

/// <summary>Jinja's filters, those that chat templates use.</summary>
internal static class TemplateFilters
{
    private const string Names =
        "abs, capitalize, count, d, default, first, float, int, items, join, last, length, list, lower, map, reject, rejectattr, replace, reverse, safe, select, selectattr, string, title, tojson, trim, unique, upper";

    public static object? Apply(string name, object? value, IReadOnlyList<object?> positional, IReadOnlyDictionary<string, object?> named, TemplateBudget budget)
    {
        var arguments = new TemplateArguments($"the filter '{name}'", positional, named);
        object? result = Run(name, value, arguments, positional, budget);
        if (name is not ("select" or "reject" or "selectattr" or "rejectattr"))
            arguments.Complete();
        return result;
    }

    private static object? Run(string name, object? value, TemplateArguments arguments, IReadOnlyList<object?> positional, TemplateBudget budget)
    {
        switch (name)
        {
            case "trim":
                return Text(value).Strip(arguments.TextOrNone(0, "chars"), left: true, right: true, budget);
            case "length" or "count":
                return TemplateOperations.Length(value, budget);
            case "upper":
                return Text(value).Map(text => text.ToUpperInvariant(), budget);
            case "lower":
                return Text(value).Map(text => text.ToLowerInvariant(), budget);
            case "capitalize" or "title":
                return TemplateMethods.Call(Text(value), name, [], TemplateArguments.NoneNamed, budget);
            case "default" or "d":
                object? fallback = arguments.Any(0, "default_value", TemplateText.Empty);
                bool falseToo = TemplateOperations.IsTrue(arguments.Any(1, "boolean", false));
                return value is TemplateUndefined || (falseToo && !TemplateOperations.IsTrue(value)) ? fallback : value;
            case "tojson":
                return TemplateJson.Write(value, arguments.Any(0, "indent"), arguments.Any(1, "ensure_ascii", false), arguments.Any(2, "separators"), arguments.Any(3, "sort_keys", false), budget);
            case "join":
                TemplateText separator = TemplateOperations.ToText(arguments.Any(0, "d", TemplateText.Empty));
                string? attribute = arguments.TextOrNone(1, "attribute");
                TemplateText? member = attribute is null ? null : TemplateText.Plain(attribute);
                return TemplateMethods.Join(separator, TemplateOperations.Items(value, budget), item => Text(member is null ? item : TemplateOperations.Index(item, member, budget)), budget);
            case "first":
                return TemplateOperations.Items(value, budget) is [var first, ..] ? first : new TemplateUndefined("first");
            case "last":
                return TemplateOperations.Items(value, budget) is [.., var last] ? last : new TemplateUndefined("last");
            case "replace":
                long most = arguments.Any(2, "count") is null ? int.MaxValue : arguments.Whole(2, "count", 0);
                return Text(value).Replace(arguments.Text(0, "old").Value, arguments.Text(1, "new"), (int)Math.Clamp(most, 0, int.MaxValue), budget);
            case "string":
                return Text(value);
            case "safe":
                return value;
            case "int":
                return Int(value, budget, arguments.Whole(0, "default", 0));
            case "float":
                return Float(value, budget, arguments.Any(0, "default", 0.0));
            case "abs":
                return TemplateComparison.Compare("<", value, 0L, budget) ? TemplateArithmetic.Negate(value) : value;
            case "list":
                return TemplateOperations.Copy(value, budget);
            case "reverse":
                List<object?> reversed = TemplateOperations.Copy(value, budget);
                reversed.Reverse();
                return value is TemplateText ? TemplateText.Join(reversed.Cast<TemplateText>(), budget) : reversed;
            case "unique":
                return Unique(TemplateOperations.Items(value, budget), budget);
            case "items":
                return value is TemplateUndefined ? new List<object?>() : TemplateMethods.Call(value, "items", [], TemplateArguments.NoneNamed, budget);
            case "map":
                return Map(value, arguments, budget);
            case "select" or "reject" or "selectattr" or "rejectattr":
                return Select(name, value, positional, budget);
            default:
                throw new TemplateException(0, $"the filter '{name}' is not supported; supported: {Names}");
        }
    }

    private static TemplateText Text(object? value) => TemplateOperations.ToText(value);

    private static long Int(object? value, TemplateBudget budget, long fallback) => value switch
    {
        long whole => whole,
        bool flag => flag ? 1 : 0,
        double number when Math.Abs(number) < long.MaxValue => (long)number,
        TemplateText text when long.TryParse(Digits(text, budget), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long whole) => whole,
        _ => fallback,
    };

    private static object? Float(object? value, TemplateBudget budget, object? fallback) => value switch
    {
        double number => number,
        long whole => (double)whole,
        bool flag => flag ? 1.0 : 0.0,
        TemplateText text when double.TryParse(Digits(text, budget), NumberStyles.Float, CultureInfo.InvariantCulture, out double number) => number,
        _ => fallback,
    };

    private static ReadOnlySpan<char> Digits(TemplateText text, TemplateBudget budget)
    {
        budget.Scan(4L * text.Length);
        return text.Value.AsSpan().Trim();
    }

    private static List<object?> Unique(List<object?> items, TemplateBudget budget)
    {
        var unique = new List<object?>();
        foreach (object? item in items)
        {
            budget.Step();
            if (unique.Exists(seen => TemplateComparison.AreEqual(seen, item, budget)))
                continue;
            budget.Grow();
            unique.Add(item);
        }

        return unique;
    }

    private static List<object?> Map(object? value, TemplateArguments arguments, TemplateBudget budget)
    {
        if (arguments.Has(int.MaxValue, "attribute"))
        {
            TemplateText attribute = arguments.Text(int.MaxValue - 1, "attribute");
            bool hasFallback = arguments.Has(int.MaxValue, "default");
            object? fallback = arguments.Any(int.MaxValue - 1, "default");
            return Each(item => TemplateOperations.Index(item, attribute, budget) is var member && hasFallback && member is TemplateUndefined ? fallback : member);
        }

        string filter = arguments.Text(0, "filter").Value;
        return Each(item =>
        {
            budget.MakeCall(0, 0);
            return Apply(filter, item, [], TemplateArguments.NoneNamed, budget);
        });

        List<object?> Each(Func<object?, object?> change)
        {
            List<object?> items = TemplateOperations.Items(value, budget);
            budget.MakeList(items.Count);
            var changed = new List<object?>(items.Count);
            foreach (object? item in items)
            {
                budget.Step();
                changed.Add(change(item));
            }

            return changed;
        }
    }

    private static List<object?> Select(string name, object? value, IReadOnlyList<object?> positional, TemplateBudget budget)
    {
        bool byAttribute = name.EndsWith("attr", StringComparison.Ordinal);
        bool wanted = name.StartsWith("select", StringComparison.Ordinal);
        TemplateText? attribute = null;
        if (byAttribute)
            attribute = positional.FirstOrDefault() as TemplateText ?? throw new TemplateException(0, $"the filter '{name}' needs an attribute's name");
        object?[] rest = [.. positional.Skip(byAttribute ? 1 : 0)];
        if (rest.Length > 0 && rest[0] is not TemplateText)
            throw new TemplateException(0, $"the filter '{name}' needs a test's name");
        object?[] tested = rest.Length == 0 ? [] : rest[1..];
        List<object?> items = TemplateOperations.Items(value, budget);
        var taken = new List<object?>();
        foreach (object? item in items)
        {
            budget.Step();
            if (Holds(attribute is null ? item : TemplateOperations.Index(item, attribute, budget)) == wanted)
                Take(item);
        }

        return taken;

        void Take(object? item)
        {
            budget.Grow();
            taken.Add(item);
        }

        bool Holds(object? item) => rest.Length == 0 ? TemplateOperations.IsTrue(item) : TemplateTests.Holds(((TemplateText)rest[0]!).Value, item, tested, budget);
    }
}
