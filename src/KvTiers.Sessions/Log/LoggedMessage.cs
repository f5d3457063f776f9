using System.Collections.Immutable;
using KvTiers.Conversations;

namespace KvTiers.Sessions.Log;

/// <summary>One message with the tokens it stands for in the log, the template's framing included. An answer's tokens are those that were generated.</summary>
/// <param name="Role">Who speaks.</param>
/// <param name="Content">What is said.</param>
/// <param name="Tokens">The message's span of the token log.</param>
public sealed record LoggedMessage(string Role, string Content, ImmutableArray<int> Tokens)
{
    /// <summary>Tells speakers of one role apart.</summary>
    public string? Name { get; init; }

    /// <summary>What an assistant thought before it answered.</summary>
    public string? ReasoningContent { get; init; }

    /// <summary>The functions that an assistant calls.</summary>
    public ImmutableArray<ToolCall> ToolCalls { get; init; } = [];

    /// <summary>The call that the message is the result of.</summary>
    public string? ToolCallId { get; init; }

    /// <summary>Fingerprint of the functions whose text is among <see cref="Tokens"/>; null = none is.</summary>
    public string? ToolsShown { get; init; }

    /// <summary>Whether its turn stays in prompts when the context is full.</summary>
    public bool Pinned { get; init; }

    /// <summary>A message with its tokens.</summary>
    public static LoggedMessage Of(ChatMessage message, ImmutableArray<int> tokens) => new(message.Role, message.Content, tokens)
    {
        Name = message.Name,
        ReasoningContent = message.ReasoningContent,
        ToolCalls = message.ToolCalls is null ? [] : [.. message.ToolCalls],
        ToolCallId = message.ToolCallId,
        Pinned = message.Pinned == true,
    };

    /// <summary>The message pinned or not; null leaves it as it is.</summary>
    public LoggedMessage WithPin(bool? pinned) => pinned is null || pinned == Pinned ? this : this with { Pinned = pinned.Value };

    /// <summary>Whether <paramref name="message"/> says the same. Calls are the same when they call the same functions with equal arguments, however these are written.</summary>
    public bool Says(ChatMessage message) =>
        Role == message.Role && Content == message.Content && Name == message.Name && ReasoningContent == message.ReasoningContent
        && ToolCallId == message.ToolCallId && SameCalls.Are(ToolCalls, message.ToolCalls ?? []);

    /// <summary>Whether <paramref name="other"/> says the same with the same tokens.</summary>
    public bool SameAs(LoggedMessage other) =>
        ReferenceEquals(this, other) || (Says(other.ToChatMessage()) && Pinned == other.Pinned && ToolsShown == other.ToolsShown && Tokens.AsSpan().SequenceEqual(other.Tokens.AsSpan()));

    /// <summary>The message without its tokens.</summary>
    public ChatMessage ToChatMessage() => new(Role, Content)
    {
        Name = Name,
        ReasoningContent = ReasoningContent,
        ToolCalls = ToolCalls.IsEmpty ? null : ToolCalls,
        ToolCallId = ToolCallId,
        Pinned = Pinned ? true : null,
    };
}
