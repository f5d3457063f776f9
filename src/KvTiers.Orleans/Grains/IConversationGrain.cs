using KvTiers.Conversations;
using KvTiers.Orleans.Streaming;
using Orleans.CodeGeneration;
using Orleans.Concurrency;

namespace KvTiers.Orleans.Grains;

/// <summary>One conversation of the cluster. Key: <c>tenant/id</c>, a <see cref="ConversationKey"/> as text. What <see cref="IConversations"/> says of each call holds.</summary>
/// <remarks>Errors travel as one serializable kind; <see cref="KvTiers.Orleans.Clients.ClusterConversations"/> turns them back, so callers use that.</remarks>
[Alias("kvt.conversation")]
[Version(1)]
public interface IConversationGrain : IGrainWithStringKey
{
    /// <summary>Creates the conversation under the grain's key.</summary>
    [Alias("create")]
    Task<ConversationView> CreateAsync(CreateConversation request, CancellationToken cancellationToken = default);

    /// <summary>The conversation as it stands.</summary>
    [Alias("get")]
    Task<ConversationView> GetAsync(CancellationToken cancellationToken = default);

    /// <summary>Takes a turn. Its events come in batches, the last of which has its end; whoever stops before that, or asks for nothing for a minute, ends the turn.</summary>
    [Alias("turn")]
    IAsyncEnumerable<TurnBatch> TurnAsync([Immutable] TurnRequest request);

    /// <summary>Drops the last answer and generates anew; as <see cref="TurnAsync"/>.</summary>
    [Alias("regenerate")]
    IAsyncEnumerable<TurnBatch> RegenerateAsync([Immutable] GenerationOptions options);

    /// <summary>Keeps the conversation where it is while turns of its own silo run (<see cref="Residence"/>).</summary>
    [OneWay]
    [Alias("stay")]
    Task StayAsync();

    /// <summary>Replaces a message's text.</summary>
    [Alias("edit")]
    Task<EditReceipt> EditAsync(EditRequest request, CancellationToken cancellationToken = default);

    /// <summary>Drops a message and all later ones.</summary>
    [Alias("truncate")]
    Task<EditReceipt> TruncateAsync(int index, CancellationToken cancellationToken = default);

    /// <summary>Makes a new conversation of the first messages; the request has its id.</summary>
    [Alias("fork")]
    Task<ConversationView> ForkAsync(ForkRequest request, CancellationToken cancellationToken = default);

    /// <summary>Takes back the last change.</summary>
    [Alias("undo")]
    Task<EditReceipt> UndoAsync(CancellationToken cancellationToken = default);

    /// <summary>Computes what is missing of the blocks.</summary>
    [Alias("warm")]
    Task<WarmReceipt> WarmAsync(CancellationToken cancellationToken = default);

    /// <summary>Bars the blocks from eviction.</summary>
    [Alias("pin")]
    Task<PinReceipt> PinAsync(TimeSpan? ttl, CancellationToken cancellationToken = default);

    /// <summary>Lets the blocks be evicted again.</summary>
    [Alias("unpin")]
    Task UnpinAsync(CancellationToken cancellationToken = default);

    /// <summary>Why the last turn computed what it computed.</summary>
    [Alias("explain")]
    Task<Explanation> ExplainAsync(CancellationToken cancellationToken = default);

    /// <summary>Deletes the conversation.</summary>
    [Alias("delete")]
    Task<DeleteReceipt> DeleteAsync(CancellationToken cancellationToken = default);
}
