using System.Text.Json;
using KvTiers.Inference.Constraints.Automata;

namespace KvTiers.Inference.Constraints.Schemas;

/// <summary>One schema inside a document.</summary>
/// <param name="Document">The whole.</param>
/// <param name="Element">An object, or true or false.</param>
/// <param name="Pointer">Where it stands, as a JSON pointer behind '#'.</param>
internal sealed record SchemaNode(SchemaDocument Document, JsonElement Element, string Pointer)
{
    /// <summary>Names it among all of a compilation.</summary>
    public string Key => $"{Document.Number}{Pointer}";

    /// <summary>A keyword's value, where the schema has it.</summary>
    public JsonElement? Get(string keyword) =>
        Element.ValueKind == JsonValueKind.Object && Element.TryGetProperty(keyword, out JsonElement value) ? value : null;

    /// <summary>A schema inside this one.</summary>
    public SchemaNode Child(string keyword, JsonElement element) => new(Document, element, $"{Pointer}/{Escape(keyword)}");

    /// <summary>A schema inside this one, two steps down.</summary>
    public SchemaNode Child(string keyword, string name, JsonElement element) => new(Document, element, $"{Pointer}/{Escape(keyword)}/{Escape(name)}");

    /// <summary>A keyword's list of schemas, at least one.</summary>
    /// <exception cref="ConstraintException">It is no such list.</exception>
    public IReadOnlyList<SchemaNode> List(string keyword, JsonElement value)
    {
        if (value.ValueKind != JsonValueKind.Array || value.GetArrayLength() == 0)
            throw Fail($"'{keyword}' must be a list of at least one schema");
        return [.. value.EnumerateArray().Select((element, i) => Child(keyword, $"{i}", element))];
    }

    /// <summary>A keyword's count: a whole number, 0 or more.</summary>
    /// <exception cref="ConstraintException">It is no such number.</exception>
    public int? Count(string keyword)
    {
        if (Get(keyword) is not { } value)
            return null;
        if (value.ValueKind != JsonValueKind.Number || !value.TryGetDouble(out double count) || count < 0 || count != Math.Floor(count))
            throw Fail($"'{keyword}' is {value.GetRawText()}; it must be a whole number, 0 or more");
        return (int)Math.Min(count, int.MaxValue - 1);
    }

    /// <summary>A keyword's text.</summary>
    /// <exception cref="ConstraintException">It is no text.</exception>
    public string? Text(string keyword) => Get(keyword) switch
    {
        null => null,
        { ValueKind: JsonValueKind.String } value => value.GetString(),
        _ => throw Fail($"'{keyword}' must be a string"),
    };

    /// <summary>What is wrong, and where.</summary>
    public ConstraintException Fail(string what) => new($"The schema at '{Pointer}': {what}.");

    private static string Escape(string step) => step.Replace("~", "~0").Replace("/", "~1");
}
