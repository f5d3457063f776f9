using System.Text.Json;

namespace KvTiers.Conversations;

/// <summary>What is asked of texts that should be JSON.</summary>
internal static class JsonText
{
    /// <summary>Whether a text is one JSON object.</summary>
    public static bool IsObject(string text)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(text);
            return document.RootElement.ValueKind == JsonValueKind.Object;
        }
        catch (JsonException)
        {
            return false;
        }
    }
}
