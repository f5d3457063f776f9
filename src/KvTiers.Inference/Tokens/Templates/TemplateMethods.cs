namespace KvTiers.Inference.Tokens.Templates;

/// <summary>The methods of Python's strings and mappings that chat templates call.</summary>
internal static class TemplateMethods
{
    public static object? Call(object? target, string name, IReadOnlyList<object?> positional, IReadOnlyDictionary<string, object?> named)
    {
        var arguments = new TemplateArguments($"the method '{name}'", positional, named);
        object? result = target switch
        {
            TemplateText text => OfText(text, name, arguments),
            TemplateMap map => OfMap(map, name, arguments),
            List<object?> list => OfList(list, name, arguments),
            TemplateUndefined undefined => throw new TemplateException(0, $"'{undefined.Name}' is undefined"),
            _ => throw new TemplateException(0, $"{TemplateOperations.TypeName(target)} has no method '{name}'"),
        };
        arguments.Complete();
        return result;
    }

    private static object? OfText(TemplateText text, string name, TemplateArguments arguments)
    {
        switch (name)
        {
            case "strip":
                return text.Strip(arguments.TextOrNone(0, "chars"), left: true, right: true);
            case "lstrip":
                return text.Strip(arguments.TextOrNone(0, "chars"), left: true, right: false);
            case "rstrip":
                return text.Strip(arguments.TextOrNone(0, "chars"), left: false, right: true);
            case "upper":
                return text.Map(value => value.ToUpperInvariant());
            case "lower":
                return text.Map(value => value.ToLowerInvariant());
            case "capitalize":
                return text.Map(value => value.Length == 0 ? value : char.ToUpperInvariant(value[0]) + value[1..].ToLowerInvariant());
            case "title":
                return text.Map(Title);
            case "startswith":
                return Prefixes(arguments).Any(prefix => text.Value.StartsWith(prefix, StringComparison.Ordinal));
            case "endswith":
                return Prefixes(arguments).Any(suffix => text.Value.EndsWith(suffix, StringComparison.Ordinal));
            case "removeprefix":
                string prefix = arguments.Text(0, "prefix").Value;
                return text.Value.StartsWith(prefix, StringComparison.Ordinal) ? text.Slice(prefix.Length, text.Length) : text;
            case "removesuffix":
                string suffix = arguments.Text(0, "suffix").Value;
                return text.Value.EndsWith(suffix, StringComparison.Ordinal) ? text.Slice(0, text.Length - suffix.Length) : text;
            case "replace":
                string old = arguments.Text(0, "old").Value;
                return text.Replace(old, arguments.Text(1, "new"), Most(arguments.Whole(2, "count", -1)));
            case "split":
                string? separator = arguments.TextOrNone(0, "sep");
                if (separator is "")
                    throw new TemplateException(0, "the separator of 'split' must not be empty");
                return text.Split(separator, Most(arguments.Whole(1, "maxsplit", -1)));
            case "splitlines":
                List<object?> lines = TemplateText.Join([text]).Replace("\r\n", TemplateText.Plain("\n"), int.MaxValue).Split("\n", int.MaxValue);
                if (lines[^1] is TemplateText { Length: 0 })
                    lines.RemoveAt(lines.Count - 1);
                return lines;
            case "join":
                IEnumerable<TemplateText> parts = TemplateOperations.Items(arguments.Required(0, "iterable"))
                    .Select(item => item as TemplateText ?? throw new TemplateException(0, "the method 'join' joins strings only"));
                return TemplateText.Join(parts.SelectMany((part, i) => i == 0 ? new[] { part } : [text, part]));
            case "find":
                int found = text.Value.IndexOf(arguments.Text(0, "sub").Value, StringComparison.Ordinal);
                return found < 0 ? -1L : text.Slice(0, found).CountCodePoints();
            case "count":
                return (long)text.Split(arguments.Text(0, "sub") is { Length: > 0 } sub ? sub.Value : throw new TemplateException(0, "the method 'count' needs a text that is not empty"), int.MaxValue).Count - 1;
            case "isdigit":
                return text.Length > 0 && text.Value.All(char.IsDigit);
            case "isspace":
                return text.Length > 0 && text.Strip(null, left: true, right: false).Length == 0;
            default:
                throw new TemplateException(0, $"the string method '{name}' is not supported");
        }
    }

    private static object? OfMap(TemplateMap map, string name, TemplateArguments arguments)
    {
        switch (name)
        {
            case "get":
                return map.Entries.TryGetValue(arguments.Text(0, "key").Value, out object? value) ? Read(value) : arguments.Any(1, "default");
            case "items":
                return map.Entries.Select(entry => (object?)new List<object?> { TemplateText.Of(entry.Key, map.IsContent), entry.Value }).ToList();
            case "keys":
                return map.Keys.ToList<object?>();
            case "values":
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

    private static object? OfList(List<object?> list, string name, TemplateArguments arguments)
    {
        switch (name)
        {
            case "append":
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

    private static IEnumerable<string> Prefixes(TemplateArguments arguments) => arguments.Required(0, "prefix") switch
    {
        TemplateText text => [text.Value],
        List<object?> list when list.TrueForAll(item => item is TemplateText) => list.Select(item => ((TemplateText)item!).Value),
        _ => throw new TemplateException(0, "'startswith' and 'endswith' need a string or strings"),
    };

    private static int Most(long count) => count < 0 ? int.MaxValue : (int)Math.Min(count, int.MaxValue);

    private static string Title(string value)
    {
        char[] letters = value.ToCharArray();
        for (int i = 0; i < letters.Length; i++)
            letters[i] = i > 0 && char.IsLetter(letters[i - 1]) ? char.ToLowerInvariant(letters[i]) : char.ToUpperInvariant(letters[i]);
        return new string(letters);
    }
}
