using System.Text.Json.Serialization;

namespace KvTiers.Conversations;

/// <summary>A function that the model may ask to be called.</summary>
public sealed record ToolDefinition
{
    /// <summary>The function's name: 1 to 128 letters, digits, <c>_</c>, <c>-</c>, <c>.</c>, <c>:</c> and <c>/</c>.</summary>
    public required string Name { get; init; }

    /// <summary>What it does and when to call it, for the model; null = not given.</summary>
    public string? Description { get; init; }

    /// <summary>JSON Schema of its arguments, the text of a JSON object; null = it takes none.</summary>
    [JsonConverter(typeof(JsonTextConverter))]
    public string? Parameters { get; init; }

    /// <summary>Whether the arguments of a call must match <see cref="Parameters"/>.</summary>
    public bool Strict { get; init; }
}
