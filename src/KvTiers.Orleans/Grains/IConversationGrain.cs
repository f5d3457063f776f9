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

    /// <summary>Takes a turn and streams its answer.</summary>
    IAsyncEnumerable<TurnEvent> TurnAsync(TurnRequest request, CancellationToken cancellationToken = default);

    /// <summary>Drops the last answer and generates anew.</summary>
    IAsyncEnumerable<TurnEvent> RegenerateAsync(GenerationOptions options, CancellationToken cancellationToken = default);

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
