using System.Text.Json;

namespace KvTiers.Silo.Anthropic;

/// <summary>The format of an answer.</summary>
internal sealed record OutputFormatParameter
{
    /// <summary><c>json_schema</c>.</summary>
    public string? Type { get; init; }

    /// <summary>The JSON Schema that it matches.</summary>
    public JsonElement? Schema { get; init; }
}
