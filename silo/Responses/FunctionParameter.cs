using System.Text.Json;
using System.Text.Json.Serialization;

namespace KvTiers.Silo.Responses;

/// <summary>A function that the answer may call, as it is sent and as it is shown in the response.</summary>
internal sealed record FunctionParameter
{
    /// <summary><c>function</c>; other types are tools that run in the vendor's servers.</summary>
    public string? Type { get; init; }

    /// <summary>Its name.</summary>
    public string? Name { get; init; }

    /// <summary>What it does.</summary>
    public string? Description { get; init; }

    /// <summary>JSON Schema of its arguments; null = it takes none.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public JsonElement? Parameters { get; init; }

    /// <summary>Whether the arguments must match the schema.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public bool? Strict { get; init; }
}
