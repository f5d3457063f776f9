using System.Text;
using System.Text.Json;
using KvTiers.Conversations;
using KvTiers.Silo.Http;

namespace KvTiers.Silo.Responses;

/// <summary>Reads the input of a request: a string, which is a user's message, or a list of items. Items of reasoning are left out; calls that follow each other, or what the assistant said, are one message.</summary>
internal static class InputItems
{
    /// <summary>The messages of an input.</summary>
    /// <exception cref="ApiException">400: it is neither, or an item is not supported.</exception>
    public static IReadOnlyList<ChatMessage> Read(JsonElement? input)
    {
        switch (input)
        {
            case null or { ValueKind: JsonValueKind.Null }:
                return [];
            case { ValueKind: JsonValueKind.String } text:
                return [new ChatMessage("user", SiloJson.Text(text, "input"))];
            case { ValueKind: JsonValueKind.Array } items:
                var messages = new List<ChatMessage>();
                int index = 0;
                foreach (JsonElement item in items.EnumerateArray())
                    if (Message(item, $"input[{index++}]") is { } message) Add(messages, message);
                return messages;
            default:
                throw ApiException.BadRequest("'input' must be a string or a list of items.", "input");
        }
    }

    private static void Add(List<ChatMessage> messages, ChatMessage message)
    {
        if (message.ToolCalls is { } calls && messages is [.., { Role: "assistant" } last])
            messages[^1] = last with { ToolCalls = [.. last.ToolCalls ?? [], .. calls] };
        else
            messages.Add(message);
    }

    private static ChatMessage? Message(JsonElement item, string at)
    {
        if (item.ValueKind != JsonValueKind.Object) throw ApiException.BadRequest($"'{at}' must be an object.", at);
        string type = item.TryGetProperty("type", out JsonElement given) && given.ValueKind == JsonValueKind.String ? given.GetString()! : "message";
        switch (type)
        {
            case "message":
                return new ChatMessage(Role(item, at), Content(item, at, "content"));
            case "function_call":
                return new ChatMessage("assistant", "") { ToolCalls = [new ToolCall(Text(item, "call_id", at), Text(item, "name", at), Text(item, "arguments", at))] };
            case "function_call_output":
                return new ChatMessage("tool", Content(item, at, "output")) { ToolCallId = Text(item, "call_id", at) };
            case "reasoning":
                return null;
            default:
                throw ApiException.Unsupported(at, $"an item of type '{type}'");
        }
    }

    private static string Role(JsonElement item, string at)
    {
        string? role = item.TryGetProperty("role", out JsonElement given) && given.ValueKind == JsonValueKind.String ? given.GetString() : null;
        return role switch
        {
            "user" or "assistant" or "system" => role,
            "developer" => "system",
            _ => throw ApiException.BadRequest($"'{at}.role' must be user, assistant, system or developer.", $"{at}.role"),
        };
    }

    private static string Text(JsonElement item, string name, string at) =>
        item.TryGetProperty(name, out JsonElement text) && text.ValueKind == JsonValueKind.String
            ? SiloJson.Text(text, $"{at}.{name}")
            : throw ApiException.BadRequest($"'{at}.{name}' must be a string.", $"{at}.{name}");

    private static string Content(JsonElement item, string at, string name)
    {
        string param = $"{at}.{name}";
        if (!item.TryGetProperty(name, out JsonElement content)) throw ApiException.BadRequest($"'{param}' is missing.", param, ApiException.MissingParameter);
        if (content.ValueKind == JsonValueKind.String) return SiloJson.Text(content, param);
        if (content.ValueKind != JsonValueKind.Array) throw ApiException.BadRequest($"'{param}' must be a string or a list of parts.", param);
        var text = new StringBuilder();
        int index = 0;
        foreach (JsonElement part in content.EnumerateArray()) text.Append(Part(part, $"{param}[{index++}]"));
        return text.ToString();
    }

    private static string Part(JsonElement part, string at)
    {
        string? type = part.ValueKind == JsonValueKind.Object && part.TryGetProperty("type", out JsonElement given) && given.ValueKind == JsonValueKind.String ? given.GetString() : null;
        string field = type switch
        {
            "input_text" or "output_text" or "text" => "text",
            "refusal" => "refusal",
            null when part.ValueKind == JsonValueKind.Object => throw ApiException.BadRequest($"'{at}.type' must be a string.", $"{at}.type"),
            null => throw ApiException.BadRequest($"'{at}' must be an object.", at),
            _ => throw ApiException.Unsupported(at, $"content of type '{type}'"),
        };
        return Text(part, field, at);
    }
}
