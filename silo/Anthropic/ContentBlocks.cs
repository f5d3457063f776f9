using System.Text;
using System.Text.Json;
using KvTiers.Silo.Http;

namespace KvTiers.Silo.Anthropic;

/// <summary>Reads fields of content blocks.</summary>
internal static class ContentBlocks
{
    /// <summary>Refuses fields that a block of its type does not have.</summary>
    /// <param name="block">The block.</param>
    /// <param name="at">Where it stands in the request.</param>
    /// <param name="known">Its fields beside <c>type</c>.</param>
    /// <exception cref="ApiException">400: there is another one.</exception>
    public static void Check(JsonElement block, string at, params ReadOnlySpan<string> known)
    {
        foreach (JsonProperty property in block.EnumerateObject())
        {
            if (property.Name != "type" && !known.Contains(property.Name))
                throw ApiException.BadRequest($"'{at}.{property.Name}' is not a field of a block of this type.", $"{at}.{property.Name}", "unknown_parameter");
        }
    }

    /// <summary>A string that a block must have.</summary>
    /// <exception cref="ApiException">400: it is missing, or no text.</exception>
    public static string Text(JsonElement block, string name, string at) =>
        block.TryGetProperty(name, out JsonElement text) && text.ValueKind == JsonValueKind.String
            ? SiloJson.Text(text, $"{at}.{name}")
            : throw ApiException.BadRequest($"'{at}.{name}' must be a string.", $"{at}.{name}");

    /// <summary>A string, or the texts of a list of text blocks; empty when it is missing.</summary>
    /// <exception cref="ApiException">400: it is neither, or a block is not of text.</exception>
    public static string Texts(JsonElement block, string name, string at)
    {
        if (!block.TryGetProperty(name, out JsonElement content) || content.ValueKind == JsonValueKind.Null) return "";
        if (content.ValueKind == JsonValueKind.String) return SiloJson.Text(content, $"{at}.{name}");
        if (content.ValueKind != JsonValueKind.Array) throw ApiException.BadRequest($"'{at}.{name}' must be a string or a list of text blocks.", $"{at}.{name}");
        var text = new StringBuilder();
        int index = 0;
        foreach (JsonElement inner in content.EnumerateArray())
        {
            string param = $"{at}.{name}[{index++}]";
            string? type = inner.ValueKind == JsonValueKind.Object && inner.TryGetProperty("type", out JsonElement given) && given.ValueKind == JsonValueKind.String ? given.GetString() : null;
            if (type != "text") throw ApiException.Unsupported(param, type is null ? "content without a type" : $"content of type '{type}'");
            text.Append(Text(inner, "text", param));
        }

        return text.ToString();
    }
}
