using KvTiers.Conversations;
using KvTiers.Orleans.Hosting;
using KvTiers.Orleans.Serialization;
using KvTiers.Sessions.Hosting;
using Orleans.Concurrency;

namespace KvTiers.Orleans.Grains;

[GrainType("tenant")]
[StatelessWorker]
internal sealed class TenantGrain(SiloConversations silo) : Grain, ITenantGrain
{
    public Task<IReadOnlyList<ConversationSummary>> ListAsync(CancellationToken cancellationToken) =>
        CallAsync(async conversations => (IReadOnlyList<ConversationSummary>)[.. await conversations.ListAsync(this.GetPrimaryKeyString(), cancellationToken)], cancellationToken);

    public Task<ConversationPage> ListPageAsync(int limit, string? after, CancellationToken cancellationToken) =>
        CallAsync(conversations => conversations.ListPageAsync(this.GetPrimaryKeyString(), limit, after, cancellationToken), cancellationToken);

    private async Task<T> CallAsync<T>(Func<LocalConversations, Task<T>> call, CancellationToken cancellationToken)
    {
        try
        {
            return await call(await silo.LocalAsync(cancellationToken));
        }
        catch (Exception exception) when (ConversationFault.From(exception) is { } fault)
        {
            throw fault;
        }
    }
}
