using System.Text.Json;

namespace KvTiers.Silo.OpenAi;

/// <summary>A JSON Schema inside <c>response_format</c>. Its name, its description and whether it is strict do not matter: it is always held.</summary>
internal sealed record NamedSchema
{
    /// <summary>The schema.</summary>
    public JsonElement? Schema { get; init; }
}
