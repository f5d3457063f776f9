using KvTiers.Conversations;
using KvTiers.Sessions.Changes;

namespace KvTiers.Sessions.Storage;

/// <summary>
/// Keeps conversations. A write carries the version it replaces: of two writers one wins, and the other is told. What
/// <see cref="TryAppendAsync"/> has accepted survives the process.
/// </summary>
/// <remarks>
/// Every method may throw <see cref="ConversationDamagedException"/> for the one conversation it concerns, and
/// <see cref="ConversationStoreUnavailableException"/> when the store cannot be reached, read or written.
/// </remarks>
public interface IConversationStore
{
    /// <summary>Why calls fail now, in words that name no place; null = none does that is known of. Goes back to null by itself when the cause is gone.</summary>
    string? Failure => null;

    /// <summary>What deletions still owe.</summary>
    ITombstoneStore Tombstones { get; }

    /// <summary>The newest stored version; null = there is no such conversation. Much cheaper than reading it.</summary>
    ValueTask<ConversationVersion?> ReadVersionAsync(ConversationKey key, CancellationToken cancellationToken = default);

    /// <summary>The conversation at its newest version; null = there is none.</summary>
    ValueTask<ConversationState?> ReadAsync(ConversationKey key, CancellationToken cancellationToken = default);

    /// <summary>Adds a change durably, if the stored version is still the one it replaces.</summary>
    /// <param name="key">The conversation.</param>
    /// <param name="replaced">The version that the change was made for; null = it is a <see cref="ConversationCreated"/> and there must be no such conversation.</param>
    /// <param name="change">The change.</param>
    /// <param name="cancellationToken">Gives up before the write; a write that has begun is finished.</param>
    /// <returns>False = another version is stored; nothing was written.</returns>
    ValueTask<bool> TryAppendAsync(ConversationKey key, ConversationVersion? replaced, ConversationChange change, CancellationToken cancellationToken = default);

    /// <summary>Removes the conversation, if the stored version is still the given one.</summary>
    /// <returns>False = another version is stored, or none.</returns>
    ValueTask<bool> TryDeleteAsync(ConversationKey key, ConversationVersion version, CancellationToken cancellationToken = default);

    /// <summary>Removes a conversation that is damaged, whatever is left of it.</summary>
    /// <returns>False = it can be read, or there is none.</returns>
    ValueTask<bool> TryDeleteDamagedAsync(ConversationKey key, CancellationToken cancellationToken = default);

    /// <summary>The tenant's conversations in any order. A damaged one is listed with its damage.</summary>
    ValueTask<IReadOnlyList<ConversationSummary>> ListAsync(string tenant, CancellationToken cancellationToken = default);

    /// <summary>At least as many as the tenant has conversations, quicker than listing them where the store can tell.</summary>
    async ValueTask<int> CountAsync(string tenant, CancellationToken cancellationToken = default) => (await ListAsync(tenant, cancellationToken).ConfigureAwait(false)).Count;

    /// <summary>Every conversation of every tenant at its newest version, in any order; damaged ones are left out.</summary>
    IAsyncEnumerable<ConversationState> ReadAllAsync(CancellationToken cancellationToken = default);
}
