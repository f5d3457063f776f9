using KvTiers.Conversations;
using KvTiers.Sessions.Changes;
using KvTiers.Sessions.Storage;

namespace KvTiers.Sessions.Tests;

/// <summary>A store on a disk that is full while it is told so.</summary>
internal sealed class FailingStore(IConversationStore inner) : IConversationStore
{
    public bool Fails { get; set; }

    public ITombstoneStore Tombstones => inner.Tombstones;

    public ValueTask<ConversationVersion?> ReadVersionAsync(ConversationKey key, CancellationToken cancellationToken = default) => inner.ReadVersionAsync(key, cancellationToken);

    public ValueTask<ConversationState?> ReadAsync(ConversationKey key, CancellationToken cancellationToken = default) => inner.ReadAsync(key, cancellationToken);

    public ValueTask<bool> TryAppendAsync(ConversationKey key, ConversationVersion? replaced, ConversationChange change, CancellationToken cancellationToken = default) =>
        Fails ? throw new IOException("No space left on device.") : inner.TryAppendAsync(key, replaced, change, cancellationToken);

    public ValueTask<bool> TryDeleteAsync(ConversationKey key, ConversationVersion version, CancellationToken cancellationToken = default) => inner.TryDeleteAsync(key, version, cancellationToken);

    public ValueTask<bool> TryDeleteDamagedAsync(ConversationKey key, CancellationToken cancellationToken = default) => inner.TryDeleteDamagedAsync(key, cancellationToken);

    public ValueTask<IReadOnlyList<ConversationSummary>> ListAsync(string tenant, CancellationToken cancellationToken = default) => inner.ListAsync(tenant, cancellationToken);

    public IAsyncEnumerable<ConversationState> ReadAllAsync(CancellationToken cancellationToken = default) => inner.ReadAllAsync(cancellationToken);
}
