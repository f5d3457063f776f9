using KvTiers.Conversations;

namespace KvTiers.Silo.Responses;

/// <summary>A conversation's messages as items: a message with calls is several.</summary>
internal static class Items
{
    /// <summary>The message as it was said.</summary>
    public static ChatMessage Said(MessageView message) => new(message.Role, message.Content)
    {
        Name = message.Name,
        ReasoningContent = message.ReasoningContent,
        ToolCalls = message.ToolCalls,
        ToolCallId = message.ToolCallId,
    };

    /// <summary>The items of one message.</summary>
    /// <param name="id">The response.</param>
    /// <param name="message">The message.</param>
    /// <param name="status">How the last of them stands.</param>
    public static IReadOnlyList<IItem> Of(ResponseId id, MessageView message, string status = "completed")
    {
        if (message is { Role: "tool", ToolCallId: { } callId }) return [new FunctionOutputItem(id.Item(message.Index), callId, message.Content)];
        IReadOnlyList<ToolCall> calls = message.ToolCalls ?? [];
        var items = new List<IItem>();
        if (message.Content.Length > 0 || calls.Count == 0)
        {
            object part = message.Role == "assistant" ? new OutputText(message.Content, []) : new InputText(message.Content);
            items.Add(new MessageItem(id.Item(message.Index), calls.Count == 0 ? status : "completed", message.Role, [part]));
        }

        for (int i = 0; i < calls.Count; i++)
            items.Add(new FunctionCallItem(id.Call(message.Index, i), i == calls.Count - 1 ? status : "completed", calls[i].Id, calls[i].Name, calls[i].Arguments));
        return items;
    }
}
