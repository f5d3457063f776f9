using System.Collections.Immutable;
using KvTiers.Conversations;

namespace KvTiers.Sessions.Log;

/// <summary>One message with the tokens it stands for in the log, the template's framing included. An answer's tokens are those that were generated.</summary>
/// <param name="Role">Who speaks.</param>
/// <param name="Content">What is said.</param>
/// <param name="Tokens">The message's span of the token log.</param>
public sealed record LoggedMessage(string Role, string Content, ImmutableArray<int> Tokens)
{
    /// <summary>Whether <paramref name="message"/> says the same.</summary>
    public bool Says(ChatMessage message) => Role == message.Role && Content == message.Content;

    /// <summary>Whether <paramref name="other"/> says the same with the same tokens.</summary>
    public bool SameAs(LoggedMessage other) =>
        ReferenceEquals(this, other) || (Role == other.Role && Content == other.Content && Tokens.AsSpan().SequenceEqual(other.Tokens.AsSpan()));

    /// <summary>The message without its tokens.</summary>
    public ChatMessage ToChatMessage() => new(Role, Content);
}
