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
        var body = new JsonObject { ["messages"] = Messages(messages, options?.Instructions) };
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
        foreach ((string name, object? value) in options?.AdditionalProperties ?? [])
            body[name] = JsonSerializer.SerializeToNode(value, ConversationJson.Options);
        if (stream)
        {
            body["stream"] = true;
            body["stream_options"] = new JsonObject { ["include_usage"] = true };
        }

        return body;
    }

    private static JsonArray Messages(IEnumerable<ChatMessage> messages, string? instructions)
    {
        var written = new JsonArray();
        if (instructions is not null)
            written.Add(Message(ChatRole.System.Value, instructions));
        foreach (ChatMessage message in messages)
        {
            if (message.Contents.FirstOrDefault(content => content is not (TextContent or UsageContent)) is { } other)
                throw new NotSupportedException($"A message holds {other.GetType().Name}; the server takes text only.");
            written.Add(Message(message.Role.Value, message.Text));
        }

        return written;
    }

    private static JsonNode Message(string role, string content) => new JsonObject { ["role"] = role, ["content"] = content };

    private static void RefuseUnsupported(ChatOptions? options)
    {
        if (options is null)
            return;
        if (options.ConversationId is not null)
        {
            throw new NotSupportedException(
                "ConversationId says that the server holds the history, but chat completions carry all of it. "
                + "Name the conversation with AdditionalProperties[\"conversation\"], or use IConversations.");
        }

        if (options.Tools is { Count: > 0 })
            throw new NotSupportedException("This client sends no tools; the server takes them from OpenAI's clients.");
        if (options.ResponseFormat is not (null or ChatResponseFormatText))
            throw new NotSupportedException("The server answers in text; other response formats are not supported.");
    }

    private static void Set<T>(JsonObject body, string name, T? value)
    {
        if (value is not null)
            body[name] = JsonSerializer.SerializeToNode(value, ConversationJson.Options);
    }
}
