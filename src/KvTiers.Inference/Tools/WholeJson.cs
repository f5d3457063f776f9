using System.Text.Json;

namespace KvTiers.Inference.Tools;

/// <summary>JSON text that a caller or a model wrote inside a string.</summary>
internal static class WholeJson
{
    /// <summary>Reads a text whose every string is whole characters.</summary>
    /// <exception cref="JsonException">It is no JSON, or a string or a name in it holds half of a surrogate pair, which nothing could be made of.</exception>
    public static JsonDocument Parse(string json)
    {
        JsonDocument document = JsonDocument.Parse(json);
        try
        {
            // Where nothing is escaped nothing can be half.
            if (json.Contains('\\'))
                Check(document.RootElement);
            return document;
        }
        catch (InvalidOperationException e)
        {
            document.Dispose();
            throw new JsonException("It holds half of a surrogate pair.", e);
        }
    }

    private static void Check(JsonElement element)
    {
        switch (element.ValueKind)
        {
            case JsonValueKind.String:
                _ = element.GetString();
                break;
            case JsonValueKind.Array:
                foreach (JsonElement item in element.EnumerateArray())
                    Check(item);
                break;
            case JsonValueKind.Object:
                foreach (JsonProperty member in element.EnumerateObject())
                {
                    _ = member.Name;
                    Check(member.Value);
                }

                break;
        }
    }
}
