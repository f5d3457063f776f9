using KvTiers.Orleans.Streaming;
using KvTiers.Sessions;

namespace KvTiers.Orleans.Grains;

/// <summary>One conversation of the cluster. Key: <c>tenant/id</c>, a <see cref="ConversationKey"/> as text. What <see cref="IConversations"/> says of each call holds.</summary>
/// <remarks>Errors travel as one serializable kind; <see cref="KvTiers.Orleans.Clients.ClusterConversations"/> turns them back, so callers use that.</remarks>
public interface IConversationGrain : IGrainWithStringKey
{
    /// <summary>Creates the conversation under the grain's key.</summary>
    Task<ConversationView> CreateAsync(CreateConversation request, CancellationToken cancellationToken = default);

    /// <summary>The conversation as it stands.</summary>
    Task<ConversationView> GetAsync(CancellationToken cancellationToken = default);

    /// <summary>Takes a turn. The result is the first batch of its events; <see cref="NextAsync"/> has the others.</summary>
    /// <param name="reading">Names this reading of the turn; the caller makes it up.</param>
    /// <param name="request">The turn.</param>
    Task<TurnBatch> TurnAsync(Guid reading, [Immutable] TurnRequest request);

    /// <summary>Drops the last answer and generates anew; as <see cref="TurnAsync"/>.</summary>
    Task<TurnBatch> RegenerateAsync(Guid reading, [Immutable] GenerationOptions options);

    /// <summary>A later batch of a turn, when it is there. May be asked for before the first one has come.</summary>
    /// <param name="reading">The reading of the turn.</param>
    /// <param name="number">From 1, each once, up to the one after the last.</param>
    Task<TurnBatch> NextAsync(Guid reading, int number);

    /// <summary>Ends the reading, and the turn with it, and waits for that.</summary>
    Task LeaveAsync(Guid reading);

    /// <summary>Replaces a message's text.</summary>
    Task<EditReceipt> EditAsync(EditRequest request, CancellationToken cancellationToken = default);

    /// <summary>Drops a message and all later ones.</summary>
    Task<EditReceipt> TruncateAsync(int index, CancellationToken cancellationToken = default);

    /// <summary>Makes a new conversation of the first messages; the request has its id.</summary>
    Task<ConversationView> ForkAsync(ForkRequest request, CancellationToken cancellationToken = default);

    /// <summary>Takes back the last change.</summary>
    Task<EditReceipt> UndoAsync(CancellationToken cancellationToken = default);

    /// <summary>Computes what is missing of the blocks.</summary>
    Task<WarmReceipt> WarmAsync(CancellationToken cancellationToken = default);

    /// <summary>Bars the blocks from eviction.</summary>
    Task<PinReceipt> PinAsync(TimeSpan? ttl, CancellationToken cancellationToken = default);

    /// <summary>Lets the blocks be evicted again.</summary>
    Task UnpinAsync(CancellationToken cancellationToken = default);

    /// <summary>Why the last turn computed what it computed.</summary>
    Task<Explanation> ExplainAsync(CancellationToken cancellationToken = default);

    /// <summary>Deletes the conversation.</summary>
    Task<DeleteReceipt> DeleteAsync(CancellationToken cancellationToken = default);
}
