using System.Text.Json;

namespace KvTiers.Inference.Tokens.Templates;

/// <summary>A caller's own variables as a template's values. All text in them is content: it can never become a special token.</summary>
internal static class TemplateVariables
{
    /// <summary>The value of a JSON value. Numbers without a fraction are whole ones, as in Python.</summary>
    public static object? Of(JsonElement element)
    {
        switch (element.ValueKind)
        {
            case JsonValueKind.Object:
                var map = new TemplateMap { IsContent = true };
                foreach (JsonProperty member in element.EnumerateObject())
                    map.Entries[member.Name] = Of(member.Value);
                return map;
            case JsonValueKind.Array:
                return element.EnumerateArray().Select(Of).ToList();
            case JsonValueKind.String:
                return TemplateText.Of(element.GetString()!, content: true);
            case JsonValueKind.Number:
                return element.TryGetInt64(out long whole) ? (object)whole : element.GetDouble();
            case JsonValueKind.True or JsonValueKind.False:
                return element.GetBoolean();
            default:
                return null;
        }
    }
}
