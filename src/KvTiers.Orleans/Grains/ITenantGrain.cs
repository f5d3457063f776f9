using KvTiers.Conversations;
using Orleans.CodeGeneration;

namespace KvTiers.Orleans.Grains;

/// <summary>Answers what concerns a tenant and no single conversation. Its key is the tenant. Any silo answers, as the store is shared.</summary>
[Alias("kvt.tenant")]
[Version(2)]
public interface ITenantGrain : IGrainWithStringKey
{
    /// <summary>The tenant's conversations, last changed first. <see cref="ConversationSummary.Active"/> is the answering silo's view.</summary>
    [Alias("list")]
    Task<IReadOnlyList<ConversationSummary>> ListAsync(CancellationToken cancellationToken = default);

    /// <summary>A page of them, last created first.</summary>
    [Alias("list-page")]
    Task<ConversationPage> ListPageAsync(int limit, string? after, CancellationToken cancellationToken = default);
}
