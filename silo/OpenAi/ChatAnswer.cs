using System.Text.Json.Serialization;
using KvTiers.Silo.Turns;

namespace KvTiers.Silo.OpenAi;

/// <summary>A generated message.</summary>
internal sealed record ChatAnswer
{
    /// <summary>Always <c>assistant</c>.</summary>
    public string Role => "assistant";

    /// <summary>Its text; null when it is calls alone.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public required string? Content { get; init; }

    /// <summary>The functions that it calls; null = none.</summary>
    public IReadOnlyList<ChatToolCall>? ToolCalls { get; init; }

    /// <summary>An answer as it was gathered.</summary>
    public static ChatAnswer Of(GatheredAnswer answer) => answer.Calls is { Count: > 0 } calls
        ? new() { Content = answer.Text.Length > 0 ? answer.Text : null, ToolCalls = [.. calls.Select(ChatToolCall.Of)] }
        : new() { Content = answer.Text };

    /// <summary>Always null: this server's models do not refuse in a field of its own.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public string? Refusal => null;
}
