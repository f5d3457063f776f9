namespace KvTiers.Sessions.Changes;

/// <summary>What a write replaces: the number rises by one with every stored change; the incarnation tells a conversation from an earlier one of the same id.</summary>
/// <param name="Incarnation">Drawn when the conversation is created.</param>
/// <param name="Number">1 after the creation.</param>
public readonly record struct ConversationVersion(Guid Incarnation, long Number);
