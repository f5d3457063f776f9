using System.Text.Json;
using KvTiers.Inference.Constraints.Automata;

namespace KvTiers.Inference.Constraints.Schemas;

/// <summary>A JSON Schema with all that it refers to.</summary>
/// <param name="Number">Tells it from others of the same compilation.</param>
/// <param name="Root">The whole.</param>
internal sealed record SchemaDocument(int Number, JsonElement Root)
{
    /// <summary>The schema itself.</summary>
    public SchemaNode Node => new(this, Root, "#");

    /// <summary>Reads a schema.</summary>
    /// <exception cref="ConstraintException">It is no JSON, or nested too deeply.</exception>
    public static JsonElement Parse(string text)
    {
        try
        {
            using var document = JsonDocument.Parse(text, new JsonDocumentOptions { MaxDepth = ConstraintLimits.Depth });
            return document.RootElement.Clone();
        }
        catch (JsonException e)
        {
            throw new ConstraintException($"The schema is not well-formed JSON of at most {ConstraintLimits.Depth} levels: {e.Message}", e);
        }
    }

    /// <summary>The part that a reference names.</summary>
    /// <param name="from">The schema with the reference.</param>
    /// <param name="reference">A JSON pointer behind '#'.</param>
    /// <exception cref="ConstraintException">It points outside of the document, or to nothing.</exception>
    public SchemaNode Resolve(SchemaNode from, string reference)
    {
        if (reference is not ['#', ..] || (reference.Length > 1 && reference[1] != '/'))
            throw from.Fail($"'$ref' is '{reference}'; it must point into the schema itself, as '#/$defs/name' does");
        JsonElement element = Root;
        foreach (string step in Uri.UnescapeDataString(reference).Split('/').Skip(1).Select(step => step.Replace("~1", "/").Replace("~0", "~")))
        {
            JsonElement? next = element.ValueKind switch
            {
                JsonValueKind.Object => element.TryGetProperty(step, out JsonElement member) ? member : null,
                JsonValueKind.Array => int.TryParse(step, out int index) && index >= 0 && index < element.GetArrayLength() ? element[index] : null,
                _ => null,
            };
            element = next ?? throw from.Fail($"'$ref' is '{reference}', and there is no '{step}'");
        }

        return new SchemaNode(this, element, reference);
    }
}
