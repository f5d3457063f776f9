using System.Text.Json;

namespace KvTiers.Silo.OpenAi;

/// <summary>vLLM's <c>structured_outputs</c>, as a caller sends it.</summary>
internal sealed record StructuredOutputs
{
    /// <summary>A JSON Schema, or its text.</summary>
    public JsonElement? Json { get; init; }

    /// <summary>A regular expression.</summary>
    public string? Regex { get; init; }

    /// <summary>Texts, one of which is the answer.</summary>
    public IReadOnlyList<string>? Choice { get; init; }

    /// <summary>A grammar.</summary>
    public string? Grammar { get; init; }

    /// <summary>True: any JSON object.</summary>
    public bool? JsonObject { get; init; }
}
