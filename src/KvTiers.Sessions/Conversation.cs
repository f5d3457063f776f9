using KvTiers.Conversations;
using KvTiers.Prefix;
using KvTiers.Sessions.Changes;
using KvTiers.Sessions.Log;
using KvTiers.Sessions.Turns;
using KvTiers.Tiers;
using Tombstone = KvTiers.Sessions.Storage.Tombstone;

namespace KvTiers.Sessions;

/// <summary>
/// One conversation as an actor: its newest state, the blocks it holds between turns, and everything that can be done with it. Whatever hosts it
/// calls one method at a time; a streamed turn is one call until its stream ends.
/// </summary>
/// <remarks>
/// Every method first asks the store whether another process has written, and every write carries the version it replaces. So several
/// hosts may have the same conversation active: that costs time, never correctness. An actor holds token ids and leases, never K or V.
/// </remarks>
public sealed partial class Conversation : IDisposable
{
    // A change without an expected version is made again on top of what another writer stored; that many times in a row means something is wrong.
    private const int MaxAttempts = 64;

    private readonly ConversationServices _services;
    private BlockHash _root;
    private string? _cacheSalt;
    private BlockPath? _path;
    private readonly Queue<ReadOnlyMemory<int>> _abandoned = new();
    private ConversationState? _state;
    private BlockLease? _lease;
    private Pin? _pin;

    /// <summary>The conversation under <paramref name="key"/>, whether it exists or not. Nothing is read yet.</summary>
    public Conversation(ConversationKey key, ConversationServices services)
    {
        ArgumentNullException.ThrowIfNull(services);
        Key = key;
        _services = services;
        _root = services.RootFor(key.Tenant);
    }

    /// <summary>Which conversation it is.</summary>
    public ConversationKey Key { get; }

    /// <summary>The newest version seen; null = none was read yet, or there is no such conversation.</summary>
    public ConversationState? State => _state;

    /// <summary>Hot blocks held between turns.</summary>
    public int LeasedBlocks => _lease?.Table.Count ?? 0;

    /// <summary>Whether its blocks are pinned now.</summary>
    public bool IsPinned => _state?.PinnedUntil > _services.Time.GetUtcNow();

    private KvCache Cache => _services.Engine.Cache;

    private TieredCache? Tiers => _services.Engine.Tiers;

    /// <summary>Reads the newest version.</summary>
    /// <exception cref="ConversationNotFoundException">There is no such conversation.</exception>
    public async Task<ConversationView> GetAsync(CancellationToken cancellationToken = default) =>
        View(await RequireAsync(expectedVersion: null, cancellationToken).ConfigureAwait(false));

    /// <summary>Stores a new conversation with these messages.</summary>
    /// <exception cref="ConversationConflictException">There is one already.</exception>
    public Task<ConversationView> CreateAsync(IReadOnlyList<ChatMessage> messages, CancellationToken cancellationToken = default) =>
        CreateAsync(messages, contextPolicy: null, cancellationToken);

    /// <summary>Stores a new conversation with these messages, and what is done when it outgrows the model's context; null = the host's default.</summary>
    /// <exception cref="ConversationConflictException">There is one already.</exception>
    public async Task<ConversationView> CreateAsync(IReadOnlyList<ChatMessage> messages, ContextPolicy? contextPolicy, CancellationToken cancellationToken = default)
    {
        ConversationKey.ValidateNew(Key.Id, "id");
        InputCheck.Messages(messages, nameof(messages));
        if (contextPolicy is { } policy)
            InputCheck.Policy(policy, nameof(contextPolicy));
        await CheckRoomAsync(cancellationToken).ConfigureAwait(false);
        TokenLog log = _services.Encoder.Encode(messages, TokenLog.Empty);
        return View(await StoreNewAsync(Creation(log) with { ContextPolicy = contextPolicy }, cancellationToken).ConfigureAwait(false));
    }

    /// <summary>Replaces one message's text. Nothing is generated.</summary>
    /// <remarks>Where it is a message that prompts leave out, or one before such that go too, prompts have the whole conversation again; the next turn cuts it anew where it must.</remarks>
    public Task<EditReceipt> EditAsync(EditRequest request, CancellationToken cancellationToken = default)
    {
        InputCheck.Edit(request);
        return ChangeLogAsync(
            state =>
            {
                InputCheck.Index(request.Index, state.Log.HistoryCount, nameof(request.Index));
                List<ChatMessage> messages = [.. state.Log.History.Select(message => message.ToChatMessage())];
                messages[request.Index] = messages[request.Index] with { Content = request.Content };
                if (request.DropLater)
                    messages.RemoveRange(request.Index + 1, messages.Count - request.Index - 1);
                return _services.Encoder.Encode(Draft(state, messages));
            },
            request.ExpectedVersion,
            cancellationToken);
    }

    /// <summary>Drops the message at <paramref name="index"/> and all later ones.</summary>
    public Task<EditReceipt> TruncateAsync(int index, CancellationToken cancellationToken = default) =>
        ChangeLogAsync(
            state =>
            {
                InputCheck.Index(index, state.Log.HistoryCount, nameof(index));
                return Take(state, index);
            },
            expectedVersion: null,
            cancellationToken);

    /// <summary>Takes back the last change of the log.</summary>
    /// <exception cref="ConversationConflictException">There is nothing to undo.</exception>
    public async Task<EditReceipt> UndoAsync(CancellationToken cancellationToken = default)
    {
        (ConversationState former, ConversationState next) = await CommitAsync(
            state => state.Undo.Length > 0
                ? new ChangeUndone { At = Now }
                : throw new ConversationConflictException(Key, $"The conversation '{Key.Id}' has nothing to undo.", actualVersion: state.Version.Number),
            expectedVersion: null,
            cancellationToken).ConfigureAwait(false);
        return await FollowLogAsync(former, next).ConfigureAwait(false);
    }

    /// <summary>Stores a new conversation of this one's first messages under another key. Their blocks are shared as far as they are hot.</summary>
    /// <returns>The new conversation's state.</returns>
    /// <exception cref="ConversationConflictException">The other key is taken.</exception>
    public async Task<ConversationState> ForkAsync(ConversationKey fork, int? messageCount, CancellationToken cancellationToken = default)
    {
        if (fork.Tenant != Key.Tenant)
            throw new ArgumentException($"The fork's tenant is '{fork.Tenant}'; it must be '{Key.Tenant}'.", nameof(fork));
        ConversationKey.ValidateNew(fork.Id, "id");
        ConversationState state = await RequireAsync(expectedVersion: null, cancellationToken).ConfigureAwait(false);
        int count = messageCount ?? state.Log.HistoryCount;
        if (count < 0 || count > state.Log.HistoryCount)
            throw new ArgumentOutOfRangeException(nameof(messageCount), count, $"At is {count}; the conversation has {state.Log.HistoryCount} messages.");
        await CheckRoomAsync(cancellationToken).ConfigureAwait(false);
        ConversationCreated created = Creation(Take(state, count)) with { Model = state.Model, Vocabulary = state.Vocabulary, ForkedFrom = Key.Id, CacheSalt = state.CacheSalt, ContextPolicy = state.ContextPolicy };
        if (!await _services.Store.TryAppendAsync(fork, replaced: null, created, cancellationToken).ConfigureAwait(false))
            throw Taken(fork);
        ConversationState forked = ConversationState.Create(fork, created);
        _services.Paths.Set(fork, _services.PathOf(_root, _services.KnownLog(forked).Tokens.Span));
        return forked;
    }

    /// <summary>Why the last turn computed what it computed.</summary>
    /// <exception cref="ConversationConflictException">There was no turn yet.</exception>
    public async Task<Explanation> ExplainAsync(CancellationToken cancellationToken = default) =>
        Explain(await RequireAsync(expectedVersion: null, cancellationToken).ConfigureAwait(false));

    /// <summary>Why the last turn of <paramref name="state"/> computed what it computed.</summary>
    /// <exception cref="ConversationConflictException">There was no turn yet.</exception>
    public static Explanation Explain(ConversationState state)
    {
        ArgumentNullException.ThrowIfNull(state);
        return state.LastTurn is { } trace
            ? Explainer.Explain(state, trace)
            : throw new ConversationConflictException(state.Key, $"The conversation '{state.Key.Id}' has had no turn to explain.", actualVersion: state.Version.Number);
    }

    /// <summary>Bars the conversation's blocks from eviction; what later turns add is pinned with them.</summary>
    /// <param name="ttl">For how long; null = until it is unpinned.</param>
    /// <param name="cancellationToken">Gives up before the pin is stored.</param>
    public async Task<PinReceipt> PinAsync(TimeSpan? ttl, CancellationToken cancellationToken = default)
    {
        InputCheck.TimeToLive(ttl);
        DateTimeOffset until = ttl is null || ttl > DateTimeOffset.MaxValue - Now ? DateTimeOffset.MaxValue : Now + ttl.Value;
        (_, ConversationState next) = await CommitAsync(_ => new PinChanged { At = Now, Until = until }, expectedVersion: null, cancellationToken).ConfigureAwait(false);
        RenewPin();
        int tokens = _pin?.TokenCount ?? 0;
        return new() { Conversation = Key.Id, Version = next.Version.Number, PinnedUntil = until, Tokens = tokens, Blocks = _services.Pins.BlocksFor(tokens) };
    }

    /// <summary>Lets the conversation's blocks be evicted again.</summary>
    public async Task UnpinAsync(CancellationToken cancellationToken = default)
    {
        await CommitAsync(state => state.PinnedUntil is null ? null : new PinChanged { At = Now, Until = null }, expectedVersion: null, cancellationToken)
            .ConfigureAwait(false);
        RenewPin();
    }

    /// <summary>Deletes the conversation, and the blocks that only it used; of a damaged one, the blocks that are known.</summary>
    /// <remarks>
    /// What it owes the tiers is written down first, so that no fault and no crash leaves a block behind for good. Of one that is deleted already, and whose
    /// blocks are not all gone, it tells how far that is.
    /// </remarks>
    public async Task<DeleteReceipt> DeleteAsync(CancellationToken cancellationToken = default)
    {
        try
        {
            return await DeleteReadableAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (ConversationNotFoundException)
        {
            return await _services.Erasures.TryAgainAsync(Key).ConfigureAwait(false) ?? throw new ConversationNotFoundException(Key);
        }
        catch (ConversationDamagedException)
        {
            return await DeleteDamagedAsync(cancellationToken).ConfigureAwait(false) ?? await DeleteReadableAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task<DeleteReceipt> DeleteReadableAsync(CancellationToken cancellationToken)
    {
        for (int attempt = 0; ; attempt++)
        {
            ConversationState state = await RequireAsync(expectedVersion: null, cancellationToken).ConfigureAwait(false);
            if (attempt == MaxAttempts)
                throw Contended(state);
            Tombstone tombstone = await BuryAsync(state, cancellationToken).ConfigureAwait(false);
            if (await RemoveAsync(tombstone, () => _services.Store.TryDeleteAsync(Key, state.Version, CancellationToken.None)).ConfigureAwait(false))
                return await EraseAsync(tombstone).ConfigureAwait(false);
        }
    }

    // Null = it can be read after all.
    private async Task<DeleteReceipt?> DeleteDamagedAsync(CancellationToken cancellationToken)
    {
        if (_state is not { } known)
        {
            return await _services.Store.TryDeleteDamagedAsync(Key, cancellationToken).ConfigureAwait(false)
                ? new() { Conversation = Key.Id, Tiers = [], BlocksShared = 0, WasDamaged = true }
                : null;
        }

        Tombstone tombstone = await BuryAsync(known, cancellationToken).ConfigureAwait(false);
        return await RemoveAsync(tombstone, () => _services.Store.TryDeleteDamagedAsync(Key, CancellationToken.None)).ConfigureAwait(false)
            ? await EraseAsync(tombstone).ConfigureAwait(false) with { WasDamaged = true }
            : null;
    }

    // Once the tombstone is written, the deletion is no longer called off: whatever the store says or does not say, what was begun is ended.
    private async Task<bool> RemoveAsync(Tombstone tombstone, Func<ValueTask<bool>> remove)
    {
        try
        {
            if (!await remove().ConfigureAwait(false))
            {
                await _services.Erasures.CancelAsync(tombstone).ConfigureAwait(false);
                return false;
            }
        }
        catch
        {
            _services.Erasures.Doubt(tombstone);
            throw;
        }

        Become(null);
        return true;
    }

    /// <summary>Takes a lease on what is hot of the conversation, as after a turn. Nothing happens when it has one.</summary>
    public async Task HoldAsync(CancellationToken cancellationToken = default)
    {
        ConversationState state = await RequireAsync(expectedVersion: null, cancellationToken).ConfigureAwait(false);
        _lease ??= Cache.Acquire(_root, state.Log.Tokens.Span);
    }

    /// <summary>Gives up the blocks held between turns: they stay findable until they are evicted. A pin holds on.</summary>
    public void ReleaseLease()
    {
        EraseAbandoned(leaving: 0);
        _lease?.Dispose();
        _lease = null;
    }

    /// <summary>Ends a pin whose time is over.</summary>
    public void DropLapsedPin()
    {
        if (_pin is not null && !IsPinned)
            RenewPin();
    }

    /// <summary>Releases all blocks, pinned ones too. The conversation itself is on the store.</summary>
    public void Dispose()
    {
        ReleaseLease();
        DropPin();
    }

    private DateTimeOffset Now => _services.Time.GetUtcNow();

    private ConversationView View(ConversationState state) => state.ToView(Now);

    private TokenLog KnownLog(ConversationState state) => _services.KnownLog(state);

    // The newest version; others are spared the blocks of its log from now on.
    private void Become(ConversationState? next)
    {
        if (next is not null && next.CacheSalt != _cacheSalt)
            UseSalt(next.CacheSalt);
        if (next is null || _state is null || !ReferenceEquals(next.Log, _state.Log))
            UsePath(next is null ? default : KnownLog(next).Tokens);
        _state = next;
    }

    // The salt never changes; another one is another conversation under the same key.
    private void UseSalt(string? cacheSalt)
    {
        ReleaseLease();
        _cacheSalt = cacheSalt;
        _root = _services.RootFor(Key.Tenant, cacheSalt);
        _path = null;
    }

    private void UsePath(ReadOnlyMemory<int> tokens)
    {
        _path ??= _services.PathOf(_root, []);
        _path.Follow(tokens.Span);
        _services.Paths.Set(Key, _path);
    }

    // For one that is to be begun. What is counted quickly may be too many, so the list has the last word.
    private async Task CheckRoomAsync(CancellationToken cancellationToken)
    {
        if (_services.Options.MostConversations?.Invoke(Key.Tenant) is { } most
            && await _services.Store.CountAsync(Key.Tenant, cancellationToken).ConfigureAwait(false) >= most
            && (await _services.Store.ListAsync(Key.Tenant, cancellationToken).ConfigureAwait(false)).Count >= most)
            throw new ConversationLimitException(Key.Tenant, most);
    }

    private ConversationCreated Creation(TokenLog log) => new()
    {
        At = Now,
        Incarnation = Guid.NewGuid(),
        Model = _services.Options.ModelName,
        Vocabulary = _services.Vocabulary,
        Messages = log.Messages,
        Cut = LogCutChange.Between(TokenLog.Empty, log),
    };

    private async Task<EditReceipt> ChangeLogAsync(Func<ConversationState, TokenLog> change, long? expectedVersion, CancellationToken cancellationToken)
    {
        (ConversationState former, ConversationState next) = await CommitAsync(
            state =>
            {
                TokenLog log = change(state);
                return log.SameAs(state.Log) ? null : InThisVocabulary(state, LogChanged.Between(state.Log, log, Now));
            },
            expectedVersion,
            cancellationToken).ConfigureAwait(false);
        return await FollowLogAsync(former, next).ConfigureAwait(false);
    }

    private LogChanged InThisVocabulary(ConversationState state, LogChanged change) => change with
    {
        Model = state.Model == _services.Options.ModelName ? null : _services.Options.ModelName,
        Vocabulary = state.Vocabulary == _services.Vocabulary ? null : _services.Vocabulary,
    };

    // Brings the blocks in line with a stored change of the log.
    private async Task<EditReceipt> FollowLogAsync(ConversationState former, ConversationState next)
    {
        EditReceipt receipt = await SupersedeAsync(former.Log, next.Log).ConfigureAwait(false) with { Version = next.Version.Number };
        RenewPin();
        return receipt;
    }

    // The lease stops at a block's end: the block in which the tokens part, or in which the next turn goes on, is nobody's then.
    private void ReleaseFrom(int tokenCount)
    {
        if (_lease is not null)
            Cache.Truncate(_lease, Math.Min(_lease.TokenCount, tokenCount) / Cache.Shape.BlockSize * Cache.Shape.BlockSize);
    }

    private void RenewPin()
    {
        if (!IsPinned)
        {
            DropPin();
            return;
        }

        DateTimeOffset? until = _state!.PinnedUntil == DateTimeOffset.MaxValue ? null : _state.PinnedUntil;
        _pin = _services.Pins.Pin(_root, _state.Log.Tokens.Span, until, former: _pin);
    }

    private void DropPin()
    {
        if (_pin is not null)
            _services.Pins.Unpin(_pin);
        _pin = null;
    }
}
