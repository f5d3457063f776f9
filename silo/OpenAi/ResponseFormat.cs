using System.Text.Json;

namespace KvTiers.Silo.OpenAi;

/// <summary>OpenAI's <c>response_format</c>, as a caller sends it.</summary>
internal sealed record ResponseFormat
{
    /// <summary>text, json_object or json_schema.</summary>
    public string? Type { get; init; }

    /// <summary>The schema with its name.</summary>
    public NamedSchema? JsonSchema { get; init; }

    /// <summary>llama.cpp's place of the schema.</summary>
    public JsonElement? Schema { get; init; }
}
