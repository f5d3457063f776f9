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
    public async Task<IReadOnlyList<ConversationSummary>> ListAsync(CancellationToken cancellationToken)
    {
        try
        {
            LocalConversations conversations = await silo.LocalAsync(cancellationToken);
            return [.. await conversations.ListAsync(this.GetPrimaryKeyString(), cancellationToken)];
        }
        catch (Exception exception) when (ConversationFault.From(exception) is { } fault)
        {
            throw fault;
        }
    }
}
