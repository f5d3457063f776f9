using System.Text.Json;
using KvTiers.Conversations;

namespace KvTiers.Orleans.Serialization;

/// <summary>What a message has beside role and content, which few have: one JSON text each, with the members' names over HTTP.</summary>
internal sealed record MessageDetails
{
    public string? Name { get; init; }

    public string? ReasoningContent { get; init; }

    public IReadOnlyList<ToolCall>? ToolCalls { get; init; }

    public string? ToolCallId { get; init; }

    /// <summary>The details of each message; null = no message has any.</summary>
    public static string?[]? Of(IReadOnlyList<ChatMessage> messages)
    {
        string?[] details = [.. messages.Select(message => Write(message.Name, message.ReasoningContent, message.ToolCalls, message.ToolCallId))];
        return Array.TrueForAll(details, one => one is null) ? null : details;
    }

    /// <summary>The details of an answer; null = it has none.</summary>
    public static string? Of(MessageView message) => Write(message.Name, message.ReasoningContent, message.ToolCalls, message.ToolCallId);

    /// <summary>The details that were written; none for null.</summary>
    public static MessageDetails Read(string? json) => json is null ? new() : JsonSerializer.Deserialize<MessageDetails>(json, ConversationJson.Options) ?? new();

    private static string? Write(string? name, string? reasoning, IReadOnlyList<ToolCall>? calls, string? callId) =>
        name is null && reasoning is null && calls is not { Count: > 0 } && callId is null
            ? null
            : JsonSerializer.Serialize(new MessageDetails { Name = name, ReasoningContent = reasoning, ToolCalls = calls, ToolCallId = callId }, ConversationJson.Options);
}
