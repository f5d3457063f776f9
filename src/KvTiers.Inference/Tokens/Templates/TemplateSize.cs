namespace KvTiers.Inference.Tokens.Templates;

/// <summary>How much a rendering's input is.</summary>
/// <param name="Values">Strings, numbers, lists, mappings and what else they hold.</param>
/// <param name="Characters">UTF-16 units of strings and of members' names.</param>
internal readonly record struct TemplateSize(long Values, long Characters)
{
    /// <summary>The size of variables. Their values are as deep as JSON that was read, and no deeper.</summary>
    public static TemplateSize Of(IEnumerable<object?> values)
    {
        var size = new TemplateSize();
        foreach (object? value in values)
            size += Of(value);
        return size;
    }

    public static TemplateSize operator +(TemplateSize left, TemplateSize right) => new(left.Values + right.Values, left.Characters + right.Characters);

    private static TemplateSize Of(object? value)
    {
        switch (value)
        {
            case TemplateText text:
                return new TemplateSize(1, text.Length);
            case List<object?> list:
                return new TemplateSize(1, 0) + Of((IEnumerable<object?>)list);
            case TemplateMap map:
                return new TemplateSize(1, map.Entries.Keys.Sum(key => (long)key.Length)) + Of(map.Entries.Values);
            default:
                return new TemplateSize(1, 0);
        }
    }
}
