using System.Text.Json;
using KvTiers.Silo.Http;

namespace KvTiers.Silo.Anthropic;

/// <summary>Reads fields of content blocks.</summary>
internal static class ContentBlocks
{
    /// <summary>A string that a block must have.</summary>
    /// <exception cref="ApiException">400: it is missing, or no text.</exception>
    public static string Text(JsonElement block, string name, string at) =>
        block.TryGetProperty(name, out JsonElement text) && text.ValueKind == JsonValueKind.String
            ? SiloJson.Text(text, $"{at}.{name}")
            : throw ApiException.BadRequest($"'{at}.{name}' must be a string.", $"{at}.{name}");
}
