using KvTiers.Conversations;

namespace KvTiers.Silo.Operations;

/// <summary>One tenant's conversations, as an administrator sees them.</summary>
/// <param name="Tenant">The tenant.</param>
/// <param name="Conversations">A page of its conversations, last created first.</param>
/// <param name="HasMore">Whether others follow the last.</param>
internal sealed record TenantConversations(string Tenant, IReadOnlyList<ConversationSummary> Conversations, bool HasMore);
