using System.Text.Json;

namespace KvTiers.Silo.OpenAi;

/// <summary>One message of a chat request.</summary>
internal sealed record ChatMessageParameter
{
    /// <summary>Who speaks.</summary>
    public string? Role { get; init; }

    /// <summary>What is said: a string, or a list of text parts.</summary>
    public JsonElement? Content { get; init; }

    /// <summary>Tells speakers of one role apart.</summary>
    public string? Name { get; init; }

    /// <summary>What an assistant thought before it answered.</summary>
    public string? ReasoningContent { get; init; }

    /// <summary>The functions that an assistant called.</summary>
    public IReadOnlyList<ToolCallParameter>? ToolCalls { get; init; }

    /// <summary>The call that a tool's message is the result of.</summary>
    public string? ToolCallId { get; init; }
}
