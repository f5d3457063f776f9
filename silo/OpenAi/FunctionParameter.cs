using System.Text.Json;

namespace KvTiers.Silo.OpenAi;

/// <summary>A function of a chat request: one that may be called, or a call of one.</summary>
internal sealed record FunctionParameter
{
    /// <summary>Its name.</summary>
    public string? Name { get; init; }

    /// <summary>What it does, for the model.</summary>
    public string? Description { get; init; }

    /// <summary>JSON Schema of its arguments.</summary>
    public JsonElement? Parameters { get; init; }

    /// <summary>Whether a call's arguments must match the schema.</summary>
    public bool? Strict { get; init; }

    /// <summary>Of a call: the text of a JSON object.</summary>
    public JsonElement? Arguments { get; init; }
}
