using System.Text.Json;
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
        return schema.Evaluate(document.RootElement, Options).IsValid;
    }
}
