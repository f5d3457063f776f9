namespace KvTiers.Cli.Chat;

/// <summary>How a chat is held.</summary>
/// <param name="Conversation">Id of the conversation to resume; <see langword="null"/> = a new one.</param>
/// <param name="System">System prompt of new conversations; <see langword="null"/> = none.</param>
/// <param name="Options">How answers are generated and shown; <c>/set</c> changes them.</param>
internal sealed record ChatSettings(string? Conversation, string? System, ChatOptions Options);
