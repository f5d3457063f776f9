using System.Text.Json;
using KvTiers.Conversations;
using KvTiers.Silo.Http;

namespace KvTiers.Silo.Responses;

/// <summary>Checks the format of an answer. Every fault is a 400 that names the parameter.</summary>
internal static class FormatRules
{
    /// <summary>What the answer must look like; null = nothing in particular.</summary>
    /// <exception cref="ApiException">The format is not supported.</exception>
    public static AnswerFormat? Check(JsonElement? format)
    {
        if (format is not { ValueKind: JsonValueKind.Object } given) return null;
        string? type = given.TryGetProperty("type", out JsonElement kind) && kind.ValueKind == JsonValueKind.String ? kind.GetString() : null;
        switch (type)
        {
            case "text":
                return null;
            case "json_object":
                return AnswerFormat.JsonObject;
            case "json_schema":
                return given.TryGetProperty("schema", out JsonElement schema) && schema.ValueKind == JsonValueKind.Object
                    ? AnswerFormat.JsonSchema(schema.GetRawText())
                    : throw ApiException.BadRequest("'text.format.schema' must be an object.", "text.format.schema");
            default:
                throw ApiException.BadRequest("'text.format.type' must be text, json_object or json_schema.", "text.format.type");
        }
    }
}
