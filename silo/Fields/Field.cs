using System.Text.Json;

namespace KvTiers.Silo.Fields;

/// <summary>One field of a request: its row in the table.</summary>
internal sealed record Field
{
    private Field(string name, FieldUse use, ValueKinds kinds, string example, string text)
    {
        Name = name;
        Use = use;
        Kinds = kinds;
        Example = example;
        Text = text;
    }

    /// <summary>Its name.</summary>
    public string Name { get; }

    /// <summary>What the server does with it.</summary>
    public FieldUse Use { get; }

    /// <summary>The kinds of values it may have. null is always taken, for "not given".</summary>
    public ValueKinds Kinds { get; }

    /// <summary>A value that is taken, as JSON: of a refused field the first that asks for nothing.</summary>
    public string Example { get; }

    /// <summary>What an honoured field does, what an ignored one is about, or what a refused one asks for.</summary>
    public string Text { get; }

    /// <summary>Of a refused field: the values that ask for nothing, and pass. null always does.</summary>
    public IReadOnlyList<JsonElement> Nothing { get; private init; } = [];

    /// <summary>The fields of its object, or of the objects in its list; null = anything.</summary>
    public FieldTable? Inner { get; init; }

    /// <summary>Other fields that a request with the example needs, as JSON: <c>"stream":true</c>.</summary>
    public string? With { get; init; }

    /// <summary>True when a request cannot be without it, or one of those that may take its place.</summary>
    public bool IsRequired { get; init; }

    /// <summary>Fields that may take its place.</summary>
    public IReadOnlyList<string> Alternatives { get; init; } = [];

    /// <summary>A field that is done.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="kinds">The kinds of values it may have.</param>
    /// <param name="example">A value that is taken, as JSON.</param>
    /// <param name="text">What it does, with its range.</param>
    public static Field Honoured(string name, ValueKinds kinds, string example, string text) => new(name, FieldUse.Honoured, kinds, example, text);

    /// <summary>A field that is harmless, and may have any value.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="text">What it is about, and why nothing needs to be done.</param>
    public static Field Ignored(string name, string text) => new(name, FieldUse.Ignored, ValueKinds.Any, "null", text);

    /// <summary>A field that asks for what the server does not do.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="what">What it asks for, to precede "is not supported by this server".</param>
    /// <param name="nothing">Values that ask for nothing, as JSON.</param>
    public static Field Refused(string name, string what, params string[] nothing) =>
        new(name, FieldUse.Refused, ValueKinds.Any, nothing.FirstOrDefault("null"), what) { Nothing = [.. nothing.Select(Parse)] };

    /// <summary>True when a value of a refused field asks for nothing.</summary>
    public bool AsksForNothing(JsonElement value) => Nothing.Any(nothing => JsonElement.DeepEquals(nothing, value));

    private static JsonElement Parse(string json)
    {
        using var document = JsonDocument.Parse(json);
        return document.RootElement.Clone();
    }
}
