using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.AI;

namespace KvTiers.Client.Chat;

/// <summary>Writes messages as <c>messages</c> of <c>POST /v1/chat/completions</c>.</summary>
internal static class ChatMessages
{
    // As a model writes it: a call that comes back is the text that was generated.
    private static readonly JsonSerializerOptions Compact = new(AIJsonUtilities.DefaultOptions) { WriteIndented = false };

    /// <exception cref="NotSupportedException">A message holds what the server does not take.</exception>
    public static JsonArray Write(IEnumerable<ChatMessage> messages, string? instructions)
    {
        var written = new JsonArray();
        if (instructions is not null)
            written.Add(Text(ChatRole.System.Value, instructions));
        foreach (ChatMessage message in messages)
        {
            if (message.Contents.FirstOrDefault(IsUnknown) is { } other)
                throw new NotSupportedException($"A message holds {other.GetType().Name}; the server takes text, calls of functions and their results only.");
            foreach (FunctionResultContent result in message.Contents.OfType<FunctionResultContent>())
                written.Add(Result(result));
            JsonArray calls = [.. message.Contents.OfType<FunctionCallContent>().Select(Call)];
            if (calls.Count == 0 && message.Contents.Any(content => content is FunctionResultContent) && message.Text.Length == 0)
                continue;
            JsonObject node = Text(message.Role.Value, message.Text);
            if (calls.Count > 0)
                node["tool_calls"] = calls;
            written.Add(node);
        }

        return written;
    }

    // What a model thought is not sent back: each template decides that for itself, and most leave it out.
    private static bool IsUnknown(AIContent content) =>
        content is not (TextContent or TextReasoningContent or UsageContent or FunctionCallContent or FunctionResultContent);

    private static JsonObject Text(string role, string content) => new() { ["role"] = role, ["content"] = content };

    private static JsonNode Call(FunctionCallContent call) => new JsonObject
    {
        ["id"] = call.CallId,
        ["type"] = "function",
        ["function"] = new JsonObject
        {
            ["name"] = call.Name,
            ["arguments"] = JsonSerializer.Serialize(call.Arguments ?? new Dictionary<string, object?>(), Compact),
        },
    };

    private static JsonNode Result(FunctionResultContent result) => new JsonObject
    {
        ["role"] = ChatRole.Tool.Value,
        ["tool_call_id"] = result.CallId,
        ["content"] = result switch
        {
            { Exception: { } exception } => $"Error: {exception.Message}",
            { Result: string text } => text,
            _ => JsonSerializer.Serialize(result.Result, Compact),
        },
    };
}
