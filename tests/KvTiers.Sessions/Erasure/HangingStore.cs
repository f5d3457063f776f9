using KvTiers.Conversations;
using KvTiers.Sessions.Changes;
using KvTiers.Sessions.Storage;

namespace KvTiers.Sessions.Tests.Erasure;

/// <summary>Where a deletion is in its way when its process ends.</summary>
public enum DeletionStep
{
    /// <summary>Before anything was written.</summary>
    BeforeTombstone,

    /// <summary>The tombstone is written, the record stands.</summary>
    AfterTombstone,

    /// <summary>The record is gone, no tier was asked.</summary>
    AfterRecord,

    /// <summary>The tiers did their part, the tombstone stands.</summary>
    BeforeForgetting,
}

/// <summary>A store that stands still for ever at one step of a deletion, so that a test can go on as if the process had been killed there.</summary>
internal sealed class HangingStore(IConversationStore inner, DeletionStep step) : IConversationStore, ITombstoneStore
{
    private readonly TaskCompletionSource _reached = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Ends when a deletion stands still.</summary>
    public Task Reached => _reached.Task;

    public ITombstoneStore Tombstones => this;

    public async ValueTask WriteAsync(Tombstone tombstone, CancellationToken cancellationToken = default)
    {
        await StopAtAsync(DeletionStep.BeforeTombstone);
        await inner.Tombstones.WriteAsync(tombstone, cancellationToken);
        await StopAtAsync(DeletionStep.AfterTombstone);
    }

    public async ValueTask RemoveAsync(Tombstone tombstone, CancellationToken cancellationToken = default)
    {
        await StopAtAsync(DeletionStep.BeforeForgetting);
        await inner.Tombstones.RemoveAsync(tombstone, cancellationToken);
    }

    IAsyncEnumerable<Tombstone> ITombstoneStore.ReadAllAsync(CancellationToken cancellationToken) => inner.Tombstones.ReadAllAsync(cancellationToken);

    public ValueTask<ConversationVersion?> ReadVersionAsync(ConversationKey key, CancellationToken cancellationToken = default) => inner.ReadVersionAsync(key, cancellationToken);

    public ValueTask<ConversationState?> ReadAsync(ConversationKey key, CancellationToken cancellationToken = default) => inner.ReadAsync(key, cancellationToken);

    public ValueTask<bool> TryAppendAsync(ConversationKey key, ConversationVersion? replaced, ConversationChange change, CancellationToken cancellationToken = default) =>
        inner.TryAppendAsync(key, replaced, change, cancellationToken);

    public async ValueTask<bool> TryDeleteAsync(ConversationKey key, ConversationVersion version, CancellationToken cancellationToken = default)
    {
        bool isDeleted = await inner.TryDeleteAsync(key, version, cancellationToken);
        await StopAtAsync(DeletionStep.AfterRecord);
        return isDeleted;
    }

    public ValueTask<bool> TryDeleteDamagedAsync(ConversationKey key, CancellationToken cancellationToken = default) => inner.TryDeleteDamagedAsync(key, cancellationToken);

    public ValueTask<IReadOnlyList<ConversationSummary>> ListAsync(string tenant, CancellationToken cancellationToken = default) => inner.ListAsync(tenant, cancellationToken);

    IAsyncEnumerable<ConversationState> IConversationStore.ReadAllAsync(CancellationToken cancellationToken) => inner.ReadAllAsync(cancellationToken);

    private Task StopAtAsync(DeletionStep at)
    {
        if (at != step)
            return Task.CompletedTask;
        _reached.TrySetResult();
        return Task.Delay(Timeout.Infinite);
    }
}
