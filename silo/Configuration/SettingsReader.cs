using KvTiers.Sessions.Secrets;

namespace KvTiers.Silo.Configuration;

/// <summary>Reads one configuration section setting by setting, and collects every wrong or unknown one instead of stopping at the first.</summary>
internal sealed class SettingsReader(IConfigurationSection section)
{
    private readonly HashSet<string> _known = new(StringComparer.OrdinalIgnoreCase);
    private readonly List<SettingError> _errors = [];

    /// <summary>Reads a value.</summary>
    /// <returns>The value, or null when the setting is absent, empty or wrong.</returns>
    public delegate bool Parse<T>(string text, out T value);

    /// <summary>The setting <paramref name="key"/> of the section, or <paramref name="fallback"/> when it is absent, empty or wrong.</summary>
    /// <param name="key">Key inside the section; <c>Prices:Input</c> for a nested one.</param>
    /// <param name="fallback">The default.</param>
    /// <param name="rule">What the value must be, to follow the words "must be".</param>
    /// <param name="parse">False when the text breaks the rule.</param>
    public T Read<T>(string key, T fallback, string rule, Parse<T> parse)
    {
        _known.Add(key);
        string? text = section[key];
        if (string.IsNullOrWhiteSpace(text)) return fallback;
        if (parse(text.Trim(), out T value)) return value;
        _errors.Add(new SettingError($"{section.Path}:{key}", text, rule));
        return fallback;
    }

    /// <summary>The list under <paramref name="key"/>: <c>Key:0</c>, <c>Key:1</c>, …, in that order. Empty texts count too.</summary>
    /// <param name="key">Key inside the section.</param>
    /// <param name="rule">What every value must be, to follow the words "must be".</param>
    /// <param name="isGood">False when a text breaks the rule.</param>
    public IReadOnlyList<string> ReadList(string key, string rule, Predicate<string> isGood)
    {
        _known.Add(key);
        var values = new List<string>();
        if (!string.IsNullOrEmpty(section[key])) _errors.Add(new SettingError($"{section.Path}:{key}", section[key]!, $"a list: {key}:0, {key}:1, …"));
        foreach (IConfigurationSection item in section.GetSection(key).GetChildren())
        {
            _known.Add($"{key}:{item.Key}");
            string value = item.Value ?? "";
            if (isGood(value)) values.Add(value);
            else _errors.Add(new SettingError($"{section.Path}:{key}:{item.Key}", value, rule));
        }

        return values;
    }

    /// <summary>The errors so far, with one for each key of the section that nothing read: what that was to hold nobody knows, so it is shown without what may be a password.</summary>
    public IReadOnlyList<SettingError> Errors()
    {
        string rule = $"removed: there is no such setting. Known: {string.Join(", ", _known.Order(StringComparer.Ordinal))}";
        IEnumerable<SettingError> unknown = section.AsEnumerable(makePathsRelative: true)
            .Where(pair => pair.Value is not null && pair.Key.Length > 0 && !_known.Contains(pair.Key))
            .Select(pair => new SettingError($"{section.Path}:{pair.Key}", Redacted.ConnectionString(pair.Value), rule));
        return [.. _errors, .. unknown];
    }
}
