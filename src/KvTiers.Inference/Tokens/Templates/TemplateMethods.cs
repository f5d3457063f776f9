namespace KvTiers.Inference.Tokens.Templates;

/// <summary>The methods of Python's strings and mappings that chat templates call.</summary>
internal static class TemplateMethods
{
    public static object? Call(object? target, string name, IReadOnlyList<object?> positional, IReadOnlyDictionary<string, object?> named, TemplateBudget budget)
    {
        var arguments = new TemplateArguments($"the method '{name}'", positional, named);
        object? result = target switch
        {
            TemplateText text => OfText(text, name, arguments, budget),
            TemplateMap map => OfMap(map, name, arguments, budget),
            List<object?> list => OfList(list, name, arguments, budget),
            TemplateUndefined undefined => throw new TemplateException(0, $"'{undefined.Name}' is undefined"),
            _ => throw new TemplateException(0, $"{TemplateOperations.TypeName(target)} has no method '{name}'"),
        };
        arguments.Complete();
        return result;
    }

    private static object? OfText(TemplateText text, string name, TemplateArguments arguments, TemplateBudget budget)
    {
        switch (name)
        {
            case "strip":
                return text.Strip(arguments.TextOrNone(0, "chars"), left: true, right: true, budget);
            case "lstrip":
                return text.Strip(arguments.TextOrNone(0, "chars"), left: true, right: false, budget);
            case "rstrip":
                return text.Strip(arguments.TextOrNone(0, "chars"), left: false, right: true, budget);
            case "upper":
                return text.Map(value => value.ToUpperInvariant(), budget);
            case "lower":
                return text.Map(value => value.ToLowerInvariant(), budget);
            case "capitalize":
                return text.Map(value => value.Length == 0 ? value : char.ToUpperInvariant(value[0]) + value[1..].ToLowerInvariant(), budget);
            case "title":
                return text.Map(Title, budget);
            case "startswith":
                return Affixes(arguments, budget).Any(prefix => text.Value.StartsWith(prefix, StringComparison.Ordinal));
            case "endswith":
                return Affixes(arguments, budget).Any(suffix => text.Value.EndsWith(suffix, StringComparison.Ordinal));
            case "removeprefix":
                string prefix = arguments.Text(0, "prefix").Value;
                return text.Value.StartsWith(prefix, StringComparison.Ordinal) ? text.Slice(prefix.Length, text.Length, budget) : text;
            case "removesuffix":
                string suffix = arguments.Text(0, "suffix").Value;
                return text.Value.EndsWith(suffix, StringComparison.Ordinal) ? text.Slice(0, text.Length - suffix.Length, budget) : text;
            case "replace":
                string old = arguments.Text(0, "old").Value;
                return text.Replace(old, arguments.Text(1, "new"), Most(arguments.Whole(2, "count", -1)), budget);
            case "split":
                string? separator = arguments.TextOrNone(0, "sep");
                if (separator is "")
                    throw new TemplateException(0, "the separator of 'split' must not be empty");
                return text.Split(separator, Most(arguments.Whole(1, "maxsplit", -1)), budget);
            case "splitlines":
                List<object?> lines = text.Replace("\r\n", TemplateText.Plain("\n"), int.MaxValue, budget).Split("\n", int.MaxValue, budget);
                if (lines[^1] is TemplateText { Length: 0 })
                    lines.RemoveAt(lines.Count - 1);
                return lines;
            case "join":
                return Join(text, TemplateOperations.Items(arguments.Required(0, "iterable"), budget), item => item as TemplateText ?? throw new TemplateException(0, "the method 'join' joins strings only"), budget);
            case "find":
                string sought = arguments.Text(0, "sub").Value;
                int found = sought.Length == 0 ? 0 : new TemplateSearch(sought, budget).IndexIn(text.Value, 0);
                return found < 0 ? -1L : text.Slice(0, found, budget).CountCodePoints(budget);
            case "count":
                TemplateText counted = arguments.Text(0, "sub") is { Length: > 0 } sub ? sub : throw new TemplateException(0, "the method 'count' needs a text that is not empty");
                return (long)text.Split(counted.Value, int.MaxValue, budget).Count - 1;
            case "isdigit":
                budget.Scan(4L * text.Length);
                return text.Length > 0 && text.Value.All(char.IsDigit);
            case "isspace":
                return text.Length > 0 && text.Strip(null, left: true, right: false, budget).Length == 0;
            default:
                throw new TemplateException(0, $"the string method '{name}' is not supported");
        }
    }

    private static object? OfMap(TemplateMap map, string name, TemplateArguments arguments, TemplateBudget budget)
    {
        switch (name)
        {
            case "get":
                return map.TryGet(arguments.Text(0, "key"), budget, out object? value) ? Read(value) : arguments.Any(1, "default");
            case "items":
                budget.MakeList(map.Entries.Count);
                budget.Take(208L * map.Entries.Count);
                return map.Entries.Select(entry => (object?)new List<object?> { TemplateText.Of(entry.Key, map.IsContent), entry.Value }).ToList();
            case "keys":
                return TemplateOperations.Items(map, budget);
            case "values":
                budget.MakeList(map.Entries.Count);
                return map.Entries.Values.ToList();
            default:
                throw new TemplateException(0, $"the mapping method '{name}' is not supported; supported: get, items, keys, values");
        }

        object? Read(object? found)
        {
            arguments.Any(1, "default");
            return found;
        }
    }

    private static object? OfList(List<object?> list, string name, TemplateArguments arguments, TemplateBudget budget)
    {
        switch (name)
        {
            case "append":
                budget.Grow();
                list.Add(arguments.Required(0, "item"));
                return null;
            case "pop" when list.Count > 0 && !arguments.Has(0, "index"):
                object? last = list[^1];
                list.RemoveAt(list.Count - 1);
                return last;
            default:
                throw new TemplateException(0, $"the list method '{name}' is not supported here; supported: append, pop without index");
        }
    }

    /// <summary>Texts with a separator between them.</summary>
    public static TemplateText Join(TemplateText separator, List<object?> items, Func<object?, TemplateText> read, TemplateBudget budget)
    {
        budget.Take(TemplateText.BuilderBytes);
        var builder = new TemplateTextBuilder(budget);
        for (int i = 0; i < items.Count; i++)
        {
            budget.Step();
            if (i > 0)
                builder.Append(separator);
            builder.Append(read(items[i]));
        }

        return builder.ToText();
    }

    private static IEnumerable<string> Affixes(TemplateArguments arguments, TemplateBudget budget)
    {
        List<object?> affixes = arguments.Required(0, "prefix") is var given && given is List<object?> list ? list : [given];
        foreach (object? affix in affixes)
        {
            TemplateText text = affix as TemplateText ?? throw new TemplateException(0, "'startswith' and 'endswith' need a string or strings");
            budget.Step();
            budget.Scan(text.Length);
            yield return text.Value;
        }
    }

    private static int Most(long count) => count < 0 ? int.MaxValue : (int)Math.Min(count, int.MaxValue);

    private static string Title(string value)
    {
        char[] letters = value.ToCharArray();
        for (int i = 0; i < letters.Length; i++)
            letters[i] = i > 0 && char.IsLetter(letters[i - 1]) ? char.ToLowerInvariant(letters[i]) : char.ToUpperInvariant(letters[i]);
        return new string(letters);
    }
}
