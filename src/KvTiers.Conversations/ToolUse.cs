namespace KvTiers.Conversations;

/// <summary>The functions that an answer may call, and whether it must.</summary>
public sealed record ToolUse
{
    /// <summary>Most functions of one request.</summary>
    public const int MaxDefinitions = 256;

    private const int MaxNameLength = 128;

    /// <summary>The functions, in the order in which the model sees them. Their names differ.</summary>
    public required IReadOnlyList<ToolDefinition> Definitions { get; init; }

    /// <summary>Whether the answer calls any.</summary>
    public ToolChoice Choice { get; init; }

    /// <summary>Names of those that may be called now; null = all. One name and <see cref="ToolChoice.Required"/> call that one. The model sees all functions, so that the prompt stays the same.</summary>
    public IReadOnlyList<string>? Allowed { get; init; }

    /// <summary>False: the answer makes one call at most.</summary>
    public bool ParallelCalls { get; init; } = true;

    /// <summary>The ids of the calls are derived from it, so that whoever has it knows them; null = from a drawn one.</summary>
    public string? CallIdSeed { get; init; }

    /// <summary>Whether a function of this name may be called now.</summary>
    public bool Allows(string name) => Allowed?.Contains(name) ?? Definitions.Any(tool => tool.Name == name);

    /// <summary>Checks every rule.</summary>
    /// <exception cref="ArgumentException">One is broken; the message names member, value and rule.</exception>
    public void Validate()
    {
        ArgumentNullException.ThrowIfNull(Definitions);
        Check(Definitions.Count is >= 1 and <= MaxDefinitions, nameof(Definitions), $"a list of {Definitions.Count}", $"1 to {MaxDefinitions} functions");
        Check(Enum.IsDefined(Choice), nameof(Choice), $"{(int)Choice}", "Auto, None or Required");
        var names = new HashSet<string>(StringComparer.Ordinal);
        for (int i = 0; i < Definitions.Count; i++)
        {
            string at = $"{nameof(Definitions)}[{i}]";
            ToolDefinition? tool = Definitions[i];
            Check(tool?.Name is not null, at, "without a name", "a function with a name");
            Check(IsName(tool!.Name), $"{at}.Name", $"'{tool.Name}'", $"1 to {MaxNameLength} letters, digits, '_', '-', '.', ':' and '/'");
            Check(names.Add(tool.Name), $"{at}.Name", $"'{tool.Name}' again", "a name that no other function has");
            Check(tool.Parameters is null || JsonText.IsObject(tool.Parameters), $"{at}.Parameters", "no JSON object", "a JSON Schema, which is a JSON object");
        }

        if (Allowed is null)
            return;
        Check(Allowed.Count > 0, nameof(Allowed), "empty", "at least one name, or null");
        foreach (string name in Allowed)
            Check(name is not null && names.Contains(name), nameof(Allowed), $"holding '{name}'", "names of the functions given");
    }

    private static bool IsName(string name) =>
        name.Length is >= 1 and <= MaxNameLength && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-' or '.' or ':' or '/');

    private static void Check(bool holds, string member, string value, string rule)
    {
        if (!holds)
            throw new ArgumentException($"{member} is {value}; it must be {rule}.", nameof(Definitions));
    }
}
