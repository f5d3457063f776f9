namespace KvTiers.Conversations;

/// <summary>
/// The one door to conversations: the same in process, over HTTP and over a cluster. One turn at a time per conversation;
/// conversations run side by side.
/// </summary>
/// <remarks>
/// Every method throws <see cref="ArgumentException"/> on bad input, <see cref="ConversationNotFoundException"/> for an unknown key,
/// <see cref="ConversationConflictException"/> when someone else changed the conversation, <see cref="ConversationDamagedException"/>
/// when what is stored cannot be read, <see cref="ConversationLimitException"/> when one is begun and the tenant has as many as it may, and <see cref="OperationCanceledException"/>; the conversation is then as it was before.
/// </remarks>
public interface IConversations
{
    /// <summary>Creates a conversation; nothing is generated.</summary>
    /// <exception cref="ConversationConflictException">The id is taken.</exception>
    Task<ConversationView> CreateAsync(string tenant, CreateConversation request, CancellationToken cancellationToken = default);

    /// <summary>The conversation as it stands.</summary>
    Task<ConversationView> GetAsync(ConversationKey key, CancellationToken cancellationToken = default);

    /// <summary>The tenant's conversations, last changed first.</summary>
    Task<IReadOnlyList<ConversationSummary>> ListAsync(string tenant, CancellationToken cancellationToken = default);

    /// <summary>A page of the tenant's conversations, last created first: an order that does not change while pages are read.</summary>
    /// <param name="tenant">Whose.</param>
    /// <param name="limit">Most conversations of the page, 1 to <see cref="ConversationPage.MaxLimit"/>.</param>
    /// <param name="after">Id of the conversation after which it begins, <see cref="ConversationPage.LastId"/> of the page before; null = at the beginning.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    Task<ConversationPage> ListPageAsync(string tenant, int limit = ConversationPage.DefaultLimit, string? after = null, CancellationToken cancellationToken = default);

    /// <summary>Takes a turn and streams its answer. The turn is stored before <see cref="TurnCompleted"/>.</summary>
    /// <remarks>
    /// A history turn on an unknown key creates the conversation. A turn that is cancelled, whose stream is left early, or that fails
    /// leaves the conversation as it was; what it computed stays in the cache, so that a retry is cheap.
    /// </remarks>
    IAsyncEnumerable<TurnEvent> TurnAsync(ConversationKey key, TurnRequest request, CancellationToken cancellationToken = default);

    /// <summary>Drops the last answer, if the last message is one, and generates anew.</summary>
    IAsyncEnumerable<TurnEvent> RegenerateAsync(ConversationKey key, GenerationOptions options, CancellationToken cancellationToken = default);

    /// <summary>Replaces a message's text. Nothing is generated.</summary>
    Task<EditReceipt> EditAsync(ConversationKey key, EditRequest request, CancellationToken cancellationToken = default);

    /// <summary>Drops the message at <paramref name="index"/> and all later ones.</summary>
    Task<EditReceipt> TruncateAsync(ConversationKey key, int index, CancellationToken cancellationToken = default);

    /// <summary>Makes a new conversation of this one's first messages. Their blocks are shared.</summary>
    /// <exception cref="ConversationConflictException">The fork's id is taken.</exception>
    Task<ConversationView> ForkAsync(ConversationKey key, ForkRequest request, CancellationToken cancellationToken = default);

    /// <summary>Takes back the last turn, edit, truncation or regeneration: the log is token for token what it was.</summary>
    /// <exception cref="ConversationConflictException">There is nothing to undo.</exception>
    Task<EditReceipt> UndoAsync(ConversationKey key, CancellationToken cancellationToken = default);

    /// <summary>Computes what is missing of the conversation's blocks, ahead of its next turn.</summary>
    Task<WarmReceipt> WarmAsync(ConversationKey key, CancellationToken cancellationToken = default);

    /// <summary>Bars the conversation's blocks from eviction.</summary>
    /// <param name="key">The conversation.</param>
    /// <param name="ttl">For how long, above zero; null = until it is unpinned.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    Task<PinReceipt> PinAsync(ConversationKey key, TimeSpan? ttl, CancellationToken cancellationToken = default);

    /// <summary>Lets the conversation's blocks be evicted again. Nothing happens when it is not pinned.</summary>
    Task UnpinAsync(ConversationKey key, CancellationToken cancellationToken = default);

    /// <summary>Why the last turn computed what it computed.</summary>
    /// <exception cref="ConversationConflictException">The conversation has had no turn.</exception>
    Task<Explanation> ExplainAsync(ConversationKey key, CancellationToken cancellationToken = default);

    /// <summary>Deletes the conversation and every block that only it used.</summary>
    Task<DeleteReceipt> DeleteAsync(ConversationKey key, CancellationToken cancellationToken = default);
}
