using System.Text.Json;
using KvTiers.Silo.Http;

namespace KvTiers.Silo.OpenAi;

/// <summary>Refuses the fields of OpenAI's requests whose silent neglect would change an answer. Other unknown fields are let pass.</summary>
internal static class Unsupported
{
    private static readonly Dictionary<string, string> RequestFields = new()
    {
        ["tools"] = "calling tools",
        ["tool_choice"] = "calling tools",
        ["functions"] = "calling functions",
        ["function_call"] = "calling functions",
        ["audio"] = "audio",
        ["modalities"] = "anything but text",
        ["response_format"] = "a format other than text",
        ["prediction"] = "predicted output",
        ["reasoning_effort"] = "reasoning effort",
        ["web_search_options"] = "searching the web",
        ["suffix"] = "text after the answer",
    };

    private static readonly Dictionary<string, string> MessageFields = new()
    {
        ["tool_calls"] = "calling tools",
        ["tool_call_id"] = "calling tools",
        ["function_call"] = "calling functions",
        ["audio"] = "audio",
    };

    /// <summary>Looks through a request's fields.</summary>
    /// <exception cref="ApiException">400: one asks for what the server does not do.</exception>
    public static void Refuse(Dictionary<string, JsonElement>? fields) => Refuse(fields, RequestFields, "");

    /// <summary>Looks through a message's fields.</summary>
    /// <param name="fields">The fields.</param>
    /// <param name="message">Where the message stands: <c>messages[2]</c>.</param>
    /// <exception cref="ApiException">400: one asks for what the server does not do.</exception>
    public static void RefuseInMessage(Dictionary<string, JsonElement>? fields, string message) => Refuse(fields, MessageFields, message + ".");

    private static void Refuse(Dictionary<string, JsonElement>? fields, Dictionary<string, string> refused, string prefix)
    {
        if (fields is null) return;
        foreach ((string name, JsonElement value) in fields)
            if (refused.TryGetValue(name, out string? what) && !IsHarmless(name, value)) throw ApiException.Unsupported(prefix + name, what);
    }

    // What a field may say when it asks for nothing.
    private static bool IsHarmless(string name, JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Null => true,
        JsonValueKind.String => value.GetString() is "none" or "" || (name is "tool_choice" or "function_call" && value.ValueEquals("auto")),
        JsonValueKind.Array => value.EnumerateArray().All(item => name == "modalities" && item.ValueKind == JsonValueKind.String && item.ValueEquals("text")),
        JsonValueKind.Object => name == "response_format" && value.TryGetProperty("type", out JsonElement type) && type.ValueKind == JsonValueKind.String && type.ValueEquals("text"),
        _ => false,
    };
}
