using System.Text.Json;

namespace KvTiers.Silo.Anthropic;

/// <summary>A function that the answer may call.</summary>
internal sealed record ToolParameter
{
    /// <summary><c>custom</c>, or absent; other types are tools that run in the vendor's servers.</summary>
    public string? Type { get; init; }

    /// <summary>Its name.</summary>
    public string? Name { get; init; }

    /// <summary>What it does.</summary>
    public string? Description { get; init; }

    /// <summary>JSON Schema of its arguments.</summary>
    public JsonElement? InputSchema { get; init; }

    /// <summary>Whether the arguments must match the schema.</summary>
    public bool? Strict { get; init; }

    /// <summary>A breakpoint after the tools.</summary>
    public JsonElement? CacheControl { get; init; }
}
