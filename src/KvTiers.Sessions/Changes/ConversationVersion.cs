namespace KvTiers.Sessions.Changes;

/// <summary>A write names the version that it replaces. The number rises by one with every stored change; the incarnation tells a conversation from an earlier one of the same id.</summary>
/// <param name="Incarnation">Drawn when the conversation is created.</param>
/// <param name="Number">1 after the creation.</param>
public readonly record struct ConversationVersion(Guid Incarnation, long Number);
