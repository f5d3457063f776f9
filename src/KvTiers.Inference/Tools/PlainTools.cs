using System.Text;
using KvTiers.Conversations;

namespace KvTiers.Inference.Tools;

/// <summary>Functions for models whose chat template knows none: all is said in the messages' text.</summary>
internal static class PlainTools
{
    /// <summary>What the model is told of the functions. It does not depend on whether it must call one, so the prompt stays the same.</summary>
    public static string Instructions(IReadOnlyList<ToolDefinition> tools)
    {
        var text = new StringBuilder("You can call functions. These are the functions, one JSON object a line:\n");
        foreach (ToolDefinition tool in tools)
            text.Append(ToolJson.Of(tool)).Append('\n');
        return text.Append(
            "To call a function, answer with nothing but a JSON object of this form: {\"name\": \"function name\", \"arguments\": {\"argument\": \"value\"}}. "
            + "To call several, write one such object a line. To answer without a call, write text.").ToString();
    }

    /// <summary>A message as the template is given it: calls in the text of the assistant, results as what the user says.</summary>
    /// <param name="messages">The chat.</param>
    /// <param name="index">Which message of it.</param>
    public static ChatMessage Rewrite(IReadOnlyList<ChatMessage> messages, int index)
    {
        ChatMessage message = messages[index];
        if (message.ToolCalls is { Count: > 0 } calls)
        {
            string written = string.Join("\n", calls.Select(ToolJson.Of));
            return new(message.Role, message.Content.Length == 0 ? written : $"{message.Content}\n{written}");
        }

        if (message is not { Role: "tool", ToolCallId: { } id })
            return message;
        string? function = message.Name ?? NameOf(id, messages, index);
        return new("user", function is null ? $"Result: {message.Content}" : $"Result of {function}: {message.Content}");
    }

    private static string? NameOf(string callId, IReadOnlyList<ChatMessage> messages, int before)
    {
        for (int i = before - 1; i >= 0; i--)
        {
            if (messages[i].ToolCalls?.FirstOrDefault(call => call.Id == callId) is { } call)
                return call.Name;
        }

        return null;
    }
}
