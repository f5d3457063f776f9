using System.Globalization;

namespace KvTiers.Inference.Tokens.Templates;

/// <summary>Jinja's filters, those that chat templates use.</summary>
internal static class TemplateFilters
{
    private const string Names =
        "abs, capitalize, count, d, default, first, float, int, items, join, last, length, list, lower, map, reject, rejectattr, replace, reverse, safe, select, selectattr, string, title, tojson, trim, unique, upper";

    public static object? Apply(string name, object? value, IReadOnlyList<object?> positional, IReadOnlyDictionary<string, object?> named)
    {
        var arguments = new TemplateArguments($"the filter '{name}'", positional, named);
        object? result = Run(name, value, arguments, positional);
        if (name is not ("select" or "reject" or "selectattr" or "rejectattr"))
            arguments.Complete();
        return result;
    }

    private static object? Run(string name, object? value, TemplateArguments arguments, IReadOnlyList<object?> positional)
    {
        switch (name)
        {
            case "trim":
                return Text(value).Strip(arguments.TextOrNone(0, "chars"), left: true, right: true);
            case "length" or "count":
                return TemplateOperations.Length(value);
            case "upper":
                return Text(value).Map(text => text.ToUpperInvariant());
            case "lower":
                return Text(value).Map(text => text.ToLowerInvariant());
            case "capitalize" or "title":
                return TemplateMethods.Call(Text(value), name, [], new Dictionary<string, object?>());
            case "default" or "d":
                object? fallback = arguments.Any(0, "default_value", TemplateText.Empty);
                bool falseToo = TemplateOperations.IsTrue(arguments.Any(1, "boolean", false));
                return value is TemplateUndefined || (falseToo && !TemplateOperations.IsTrue(value)) ? fallback : value;
            case "tojson":
                return TemplateJson.Write(value, arguments.Any(0, "indent"), arguments.Any(1, "ensure_ascii", false), arguments.Any(2, "separators"), arguments.Any(3, "sort_keys", false));
            case "join":
                TemplateText separator = TemplateOperations.ToText(arguments.Any(0, "d", TemplateText.Empty));
                string? attribute = arguments.TextOrNone(1, "attribute");
                IEnumerable<TemplateText> parts = TemplateOperations.Items(value)
                    .Select(item => TemplateOperations.ToText(attribute is null ? item : TemplateOperations.Index(item, TemplateText.Plain(attribute))));
                return TemplateText.Join(parts.SelectMany((part, i) => i == 0 ? new[] { part } : [separator, part]));
            case "first":
                return TemplateOperations.Items(value) is [var first, ..] ? first : new TemplateUndefined("first");
            case "last":
                return TemplateOperations.Items(value) is [.., var last] ? last : new TemplateUndefined("last");
            case "replace":
                long most = arguments.Any(2, "count") is null ? int.MaxValue : arguments.Whole(2, "count", 0);
                return Text(value).Replace(arguments.Text(0, "old").Value, arguments.Text(1, "new"), (int)Math.Clamp(most, 0, int.MaxValue));
            case "string":
                return Text(value);
            case "safe":
                return value;
            case "int":
                return Int(value, arguments.Whole(0, "default", 0));
            case "float":
                return Float(value, arguments.Any(0, "default", 0.0));
            case "abs":
                return TemplateOperations.Compare("<", value, 0L) ? TemplateOperations.Negate(value) : value;
            case "list":
                return new List<object?>(TemplateOperations.Items(value));
            case "reverse":
                List<object?> reversed = [.. Enumerable.Reverse(TemplateOperations.Items(value))];
                return value is TemplateText ? TemplateText.Join(reversed.Cast<TemplateText>()) : reversed;
            case "unique":
                var unique = new List<object?>();
                foreach (object? item in TemplateOperations.Items(value).Where(item => !unique.Exists(seen => TemplateOperations.AreEqual(seen, item))))
                    unique.Add(item);
                return unique;
            case "items":
                return value is TemplateUndefined ? new List<object?>() : TemplateMethods.Call(value, "items", [], new Dictionary<string, object?>());
            case "map":
                return Map(value, arguments);
            case "select" or "reject" or "selectattr" or "rejectattr":
                return Select(name, value, positional);
            default:
                throw new TemplateException(0, $"the filter '{name}' is not supported; supported: {Names}");
        }
    }

    private static TemplateText Text(object? value) => TemplateOperations.ToText(value);

    private static long Int(object? value, long fallback) => value switch
    {
        long whole => whole,
        bool flag => flag ? 1 : 0,
        double number when Math.Abs(number) < long.MaxValue => (long)number,
        TemplateText text when long.TryParse(text.Value.Trim(), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long whole) => whole,
        _ => fallback,
    };

    private static object? Float(object? value, object? fallback) => value switch
    {
        double number => number,
        long whole => (double)whole,
        bool flag => flag ? 1.0 : 0.0,
        TemplateText text when double.TryParse(text.Value.Trim(), NumberStyles.Float, CultureInfo.InvariantCulture, out double number) => number,
        _ => fallback,
    };

    private static List<object?> Map(object? value, TemplateArguments arguments)
    {
        if (arguments.Has(int.MaxValue, "attribute"))
        {
            TemplateText attribute = arguments.Text(int.MaxValue - 1, "attribute");
            bool hasFallback = arguments.Has(int.MaxValue, "default");
            object? fallback = arguments.Any(int.MaxValue - 1, "default");
            return [.. TemplateOperations.Items(value).Select(item => TemplateOperations.Index(item, attribute)).Select(item => hasFallback && item is TemplateUndefined ? fallback : item)];
        }

        string filter = arguments.Text(0, "filter").Value;
        return [.. TemplateOperations.Items(value).Select(item => Apply(filter, item, [], new Dictionary<string, object?>()))];
    }

    private static List<object?> Select(string name, object? value, IReadOnlyList<object?> positional)
    {
        bool byAttribute = name.EndsWith("attr", StringComparison.Ordinal);
        bool wanted = name.StartsWith("select", StringComparison.Ordinal);
        TemplateText? attribute = null;
        if (byAttribute)
            attribute = positional.FirstOrDefault() as TemplateText ?? throw new TemplateException(0, $"the filter '{name}' needs an attribute's name");
        object?[] rest = [.. positional.Skip(byAttribute ? 1 : 0)];
        if (rest.Length > 0 && rest[0] is not TemplateText)
            throw new TemplateException(0, $"the filter '{name}' needs a test's name");
        return [.. TemplateOperations.Items(value).Where(item => Holds(attribute is null ? item : TemplateOperations.Index(item, attribute)) == wanted)];

        bool Holds(object? item) => rest.Length == 0 ? TemplateOperations.IsTrue(item) : TemplateTests.Holds(((TemplateText)rest[0]!).Value, item, rest[1..]);
    }
}
