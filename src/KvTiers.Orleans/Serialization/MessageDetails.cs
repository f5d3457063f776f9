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

    public bool? Pinned { get; init; }

    public long? DroppedAt { get; init; }

    /// <summary>The details of each message; null = no message has any.</summary>
    public static string?[]? Of(IReadOnlyList<ChatMessage> messages)
    {
        string?[] details = [.. messages.Select(message => Write(new() { Name = message.Name, ReasoningContent = message.ReasoningContent, ToolCalls = message.ToolCalls, ToolCallId = message.ToolCallId, Pinned = message.Pinned }))];
        return Array.TrueForAll(details, one => one is null) ? null : details;
    }

    /// <summary>The details of an answer; null = it has none.</summary>
    public static string? Of(MessageView message) => Write(new()
    {
        Name = message.Name,
        ReasoningContent = message.ReasoningContent,
        ToolCalls = message.ToolCalls,
        ToolCallId = message.ToolCallId,
        Pinned = message.Pinned,
        DroppedAt = message.DroppedAt,
    });

    /// <summary>The details that were written; none for null.</summary>
    public static MessageDetails Read(string? json) => json is null ? new() : JsonSerializer.Deserialize<MessageDetails>(json, ConversationJson.Options) ?? new();

    private static string? Write(MessageDetails details) =>
        details.Name is null && details.ReasoningContent is null && details.ToolCalls is not { Count: > 0 } && details.ToolCallId is null && details.Pinned is null && details.DroppedAt is null
            ? null
            : JsonSerializer.Serialize(details, ConversationJson.Options);
}
