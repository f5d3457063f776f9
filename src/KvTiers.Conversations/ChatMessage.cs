namespace KvTiers.Conversations;

/// <summary>One message of a chat.</summary>
/// <param name="Role">Who speaks: <c>system</c>, <c>user</c>, <c>assistant</c>, … Letters, digits, <c>_</c> and <c>-</c> only; the chat template checks it.</param>
/// <param name="Content">What is said. Any text; it can never become a special token.</param>
public sealed record ChatMessage(string Role, string Content);
