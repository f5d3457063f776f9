using System.Text.Json;
using KvTiers.Inference.Constraints.Automata;

namespace KvTiers.Inference.Constraints.Schemas;

/// <summary>The keywords of JSON Schema: which say nothing about a value, which are held, and why others are refused.</summary>
internal static class SchemaKeywords
{
    /// <summary>Keywords that name other schemas which hold for the same value.</summary>
    public static readonly string[] Applicators = ["$ref", "allOf", "anyOf", "oneOf"];

    private static readonly HashSet<string> Annotations =
    [
        "title", "description", "default", "examples", "example", "$schema", "$comment", "$anchor", "$defs", "definitions", "deprecated", "readOnly",
        "writeOnly", "contentEncoding", "contentMediaType", "contentSchema", "discriminator", "externalDocs", "xml",
    ];

    private static readonly HashSet<string> Held =
    [
        "type", "nullable", "enum", "const", "minLength", "maxLength", "pattern", "format", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum",
        "multipleOf", "properties", "required", "additionalProperties", "patternProperties", "propertyNames", "minProperties", "maxProperties", "items",
        "prefixItems", "additionalItems", "minItems", "maxItems",
    ];

    // Refused unless the value is the one that asks for nothing.
    private static readonly Dictionary<string, JsonValueKind> Neutral = new()
    {
        ["uniqueItems"] = JsonValueKind.False,
        ["unevaluatedProperties"] = JsonValueKind.True,
        ["unevaluatedItems"] = JsonValueKind.True,
    };

    /// <summary>True for a keyword that says something about the value itself.</summary>
    public static bool IsHeld(string keyword) => Held.Contains(keyword);

    /// <summary>True when a schema says something about its value beside its applicators.</summary>
    public static bool SaysSomething(SchemaNode node) => node.Element.EnumerateObject().Any(member => Held.Contains(member.Name));

    /// <summary>Looks through a schema's keywords.</summary>
    /// <exception cref="ConstraintException">It is neither an object nor true or false, or has a keyword that is not supported.</exception>
    public static void Check(SchemaNode node)
    {
        if (node.Element.ValueKind is JsonValueKind.True or JsonValueKind.False)
            return;
        if (node.Element.ValueKind != JsonValueKind.Object)
            throw node.Fail("a schema must be an object, true or false");
        foreach (JsonProperty member in node.Element.EnumerateObject())
        {
            string name = member.Name;
            if (Annotations.Contains(name) || Held.Contains(name) || Applicators.Contains(name) || name.StartsWith("x-", StringComparison.Ordinal))
                continue;
            if ((name == "$id" && node.Pointer == "#") || (Neutral.TryGetValue(name, out JsonValueKind neutral) && member.Value.ValueKind == neutral))
                continue;
            throw node.Fail($"'{name}' is not supported");
        }
    }
}
