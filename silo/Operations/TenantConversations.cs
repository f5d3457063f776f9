using KvTiers.Conversations;

namespace KvTiers.Silo.Operations;

/// <summary>One tenant's conversations, as an administrator sees them.</summary>
/// <param name="Tenant">The tenant.</param>
/// <param name="Conversations">Its conversations, last changed first.</param>
internal sealed record TenantConversations(string Tenant, IReadOnlyList<ConversationSummary> Conversations);
