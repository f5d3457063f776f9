namespace KvTiers.Inference.Tokens.Templates;

/// <summary>The evaluated arguments of one call, read by place or name; complains about those that nobody reads.</summary>
/// <param name="what">What is called, for messages.</param>
/// <param name="positional">Arguments by position.</param>
/// <param name="named">Arguments by name.</param>
internal sealed class TemplateArguments(string what, IReadOnlyList<object?> positional, IReadOnlyDictionary<string, object?> named)
{
    /// <summary>No arguments by name.</summary>
    public static readonly IReadOnlyDictionary<string, object?> NoneNamed = new Dictionary<string, object?>();

    private HashSet<string>? _readNames;
    private int _readPlaces;

    /// <summary>True when there is an argument at a place or under a name.</summary>
    public bool Has(int place, string name) => place < positional.Count || named.ContainsKey(name);

    public object? Any(int place, string name, object? fallback = null)
    {
        _readPlaces = Math.Max(_readPlaces, place + 1);
        if (named.Count > 0)
            (_readNames ??= new(StringComparer.Ordinal)).Add(name);
        return place < positional.Count ? positional[place] : named.GetValueOrDefault(name, fallback);
    }

    public object? Required(int place, string name) =>
        Has(place, name) ? Any(place, name) : throw new TemplateException(0, $"{what} needs the argument '{name}'");

    public TemplateText Text(int place, string name) =>
        Required(place, name) as TemplateText ?? throw new TemplateException(0, $"{what} needs a string as '{name}'");

    public string? TextOrNone(int place, string name) => Any(place, name) switch
    {
        null => null,
        TemplateText text => text.Value,
        _ => throw new TemplateException(0, $"{what} needs a string as '{name}'"),
    };

    public long Whole(int place, string name, long fallback) => Any(place, name, fallback) switch
    {
        long whole => whole,
        bool flag => flag ? 1 : 0,
        _ => throw new TemplateException(0, $"{what} needs a whole number as '{name}'"),
    };

    /// <summary>Every argument has been read.</summary>
    public void Complete()
    {
        if (positional.Count > _readPlaces)
            throw new TemplateException(0, $"{what} takes at most {_readPlaces} arguments");
        if (named.Keys.FirstOrDefault(name => _readNames?.Contains(name) != true) is { } unknown)
            throw new TemplateException(0, $"{what} does not take the argument '{unknown}'");
    }
}
