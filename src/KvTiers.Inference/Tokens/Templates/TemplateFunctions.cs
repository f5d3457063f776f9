namespace KvTiers.Inference.Tokens.Templates;

/// <summary>Functions that make a template's values, and need nothing of its run.</summary>
internal static class TemplateFunctions
{
    /// <summary><c>namespace(a=1)</c>.</summary>
    public static TemplateNamespace Namespace(IReadOnlyList<object?> positional, IReadOnlyDictionary<string, object?> named)
    {
        if (positional.Count > 0)
            throw new TemplateException(0, "namespace takes named arguments only");
        var space = new TemplateNamespace();
        foreach ((string name, object? value) in named)
            space.Attributes[name] = value;
        return space;
    }

    /// <summary><c>dict(a=1)</c>.</summary>
    public static TemplateMap Map(IReadOnlyDictionary<string, object?> named)
    {
        var map = new TemplateMap();
        foreach ((string name, object? value) in named)
            map.Entries[name] = value;
        return map;
    }

    /// <summary><c>range(stop)</c> or <c>range(start, stop, step)</c>.</summary>
    public static List<object?> Range(TemplateArguments arguments, int count, TemplateBudget budget)
    {
        long first = arguments.Whole(0, "start", 0);
        return count < 2
            ? TemplateOperations.Range(0, first, 1, budget)
            : TemplateOperations.Range(first, arguments.Whole(1, "stop", 0), arguments.Whole(2, "step", 1), budget);
    }
}
