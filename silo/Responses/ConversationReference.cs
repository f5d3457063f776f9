namespace KvTiers.Silo.Responses;

/// <summary>Names a conversation.</summary>
/// <param name="Id">Its id.</param>
internal sealed record ConversationReference(string Id);
