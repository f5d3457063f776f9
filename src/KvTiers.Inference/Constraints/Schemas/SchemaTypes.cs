using System.Text.Json;
using KvTiers.Inference.Constraints.Automata;

namespace KvTiers.Inference.Constraints.Schemas;

/// <summary>Which types schemas allow.</summary>
internal static class SchemaTypes
{
    /// <summary>The types that all of them allow.</summary>
    /// <exception cref="ConstraintException">A <c>type</c> names none.</exception>
    public static SchemaType Of(IEnumerable<SchemaNode> nodes) => nodes.Aggregate(SchemaType.Any, (types, node) => types & Of(node));

    /// <summary>The type of a value.</summary>
    public static SchemaType Of(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Null => SchemaType.Null,
        JsonValueKind.True or JsonValueKind.False => SchemaType.Boolean,
        JsonValueKind.Number => DecimalNumber.Parse(value.GetRawText()) is { IsWhole: true } ? SchemaType.Integer : SchemaType.Fraction,
        JsonValueKind.String => SchemaType.String,
        JsonValueKind.Array => SchemaType.Array,
        _ => SchemaType.Object,
    };

    private static SchemaType Of(SchemaNode node)
    {
        SchemaType types = node.Get("type") switch
        {
            null => SchemaType.Any,
            { ValueKind: JsonValueKind.Array } list => list.EnumerateArray().Aggregate(SchemaType.None, (all, name) => all | Named(node, name)),
            { } name => Named(node, name),
        };
        return node.Get("nullable") is { ValueKind: JsonValueKind.True } ? types | SchemaType.Null : types;
    }

    private static SchemaType Named(SchemaNode node, JsonElement name) => (name.ValueKind == JsonValueKind.String ? name.GetString() : null) switch
    {
        "null" => SchemaType.Null,
        "boolean" => SchemaType.Boolean,
        "integer" => SchemaType.Integer,
        "number" => SchemaType.Number,
        "string" => SchemaType.String,
        "array" => SchemaType.Array,
        "object" => SchemaType.Object,
        _ => throw node.Fail($"'type' is {name.GetRawText()}; it must be null, boolean, integer, number, string, array or object, or a list of them"),
    };
}
