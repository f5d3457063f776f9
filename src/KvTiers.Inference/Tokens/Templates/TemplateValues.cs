namespace KvTiers.Inference.Tokens.Templates;

// A template's values: null (none), bool, long, double, TemplateText, List<object?> (lists and tuples), and the types below.

/// <summary>What a name or member without value gives: false, empty, and an error when something is asked of it.</summary>
/// <param name="Name">What was looked for.</param>
internal sealed record TemplateUndefined(string Name)
{
    private const int MaxName = 100;

    /// <summary>What a key without value gives. Only the beginning of a long one is kept.</summary>
    public static TemplateUndefined Of(TemplateText key) => new(key.Length <= MaxName ? key.Value : key.Value[..MaxName]);
}

/// <summary>A mapping in the order of insertion.</summary>
internal sealed class TemplateMap
{
    public OrderedDictionary<string, object?> Entries { get; } = new(StringComparer.Ordinal);

    /// <summary>Which message this is, from 0; <c>null</c> when it is none.</summary>
    public int? MessageIndex { get; init; }

    /// <summary>Whether the members' names came from content.</summary>
    public bool IsContent { get; init; }

    /// <summary>The members' names.</summary>
    public IEnumerable<TemplateText> Keys => Entries.Keys.Select(key => TemplateText.Of(key, IsContent));

    public bool TryGet(TemplateText key, TemplateBudget budget, out object? value)
    {
        budget.Scan(key.Length);
        return Entries.TryGetValue(key.Value, out value);
    }
}

/// <summary>The result of <c>namespace()</c>: attributes that a loop can set for the code after it.</summary>
internal sealed class TemplateNamespace
{
    public Dictionary<string, object?> Attributes { get; } = new(StringComparer.Ordinal);

    public bool TryGet(TemplateText key, TemplateBudget budget, out object? value)
    {
        budget.Scan(key.Length);
        return Attributes.TryGetValue(key.Value, out value);
    }
}

/// <summary>A function of a template.</summary>
/// <param name="positional">Arguments by position.</param>
/// <param name="named">Arguments by name.</param>
internal delegate object? TemplateFunction(IReadOnlyList<object?> positional, IReadOnlyDictionary<string, object?> named);

/// <summary>The variable <c>loop</c>.</summary>
internal sealed class TemplateLoop(IReadOnlyList<object?> items)
{
    /// <summary>Iteration, from 0.</summary>
    public int Index { get; set; }

    public object? Get(string name) => name switch
    {
        "index" => Index + 1L,
        "index0" => (long)Index,
        "revindex" => (long)(items.Count - Index),
        "revindex0" => items.Count - Index - 1L,
        "first" => Index == 0,
        "last" => Index == items.Count - 1,
        "length" => (long)items.Count,
        "previtem" => Index > 0 ? items[Index - 1] : new TemplateUndefined("loop.previtem"),
        "nextitem" => Index + 1 < items.Count ? items[Index + 1] : new TemplateUndefined("loop.nextitem"),
        _ => throw new TemplateException(0, $"loop.{name} is not supported"),
    };
}
