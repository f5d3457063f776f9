using System.Text.Json;
using System.Text.Json.Nodes;
using KvTiers.Conversations;
using Microsoft.Extensions.AI;
using ChatMessage = Microsoft.Extensions.AI.ChatMessage;

namespace KvTiers.Client.Chat;

/// <summary>Writes messages and options as the body of <c>POST /v1/chat/completions</c>.</summary>
internal static class ChatRequest
{
    /// <exception cref="NotSupportedException">Something is asked for that the server does not do.</exception>
    public static JsonObject Create(IEnumerable<ChatMessage> messages, ChatOptions? options, string? defaultModel, bool stream)
    {
        RefuseUnsupported(options);
        var body = new JsonObject { ["messages"] = ChatMessages.Write(messages, options?.Instructions) };
        Set(body, "model", options?.ModelId ?? defaultModel);
        Set(body, "temperature", options?.Temperature);
        Set(body, "top_p", options?.TopP);
        Set(body, "top_k", options?.TopK);
        Set(body, "max_tokens", options?.MaxOutputTokens);
        Set(body, "presence_penalty", options?.PresencePenalty);
        Set(body, "frequency_penalty", options?.FrequencyPenalty);
        Set(body, "seed", options?.Seed);
        if (options?.StopSequences is { Count: > 0 } stop)
            body["stop"] = JsonSerializer.SerializeToNode(stop, ConversationJson.Options);
        if (options is not null)
            ChatFunctions.Write(body, options);
        if (Format(options?.ResponseFormat) is { } format)
            body["response_format"] = format;
        foreach ((string name, object? value) in options?.AdditionalProperties ?? [])
            body[name] = JsonSerializer.SerializeToNode(value, ConversationJson.Options);
        if (stream)
        {
            body["stream"] = true;
            body["stream_options"] = new JsonObject { ["include_usage"] = true };
        }

        return body;
    }

    private static void RefuseUnsupported(ChatOptions? options)
    {
        if (options?.ConversationId is not null)
        {
            throw new NotSupportedException(
                "ConversationId says that the server holds the history, but chat completions carry all of it. "
                + "Name the conversation with AdditionalProperties[\"conversation\"], or use IConversations.");
        }
    }

    private static JsonNode? Format(ChatResponseFormat? format)
    {
        if (format is not ChatResponseFormatJson json)
            return format is null or ChatResponseFormatText ? null : throw new NotSupportedException($"The response format {format.GetType().Name} is not supported.");
        if (json.Schema is not { } schema)
            return new JsonObject { ["type"] = "json_object" };
        var named = new JsonObject { ["name"] = json.SchemaName ?? "answer" };
        if (json.SchemaDescription is { } description)
            named["description"] = description;
        named["schema"] = JsonNode.Parse(schema.GetRawText());
        named["strict"] = true;
        return new JsonObject { ["type"] = "json_schema", ["json_schema"] = named };
    }

    private static void Set<T>(JsonObject body, string name, T? value)
    {
        if (value is not null)
            body[name] = JsonSerializer.SerializeToNode(value, ConversationJson.Options);
    }
}
