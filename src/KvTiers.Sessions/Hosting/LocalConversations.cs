using System.Runtime.CompilerServices;
using System.Threading.Channels;
using KvTiers.Conversations;
using KvTiers.Sessions.Changes;
using KvTiers.Sessions.Turns;

namespace KvTiers.Sessions.Hosting;

/// <summary>Hosts conversations in this process: read from the store when they are first used, one call at a time each, released when idle.</summary>
/// <remarks>
/// A turn runs by itself, whether or not its stream is being read, so a slow reader holds up nobody; leaving the stream ends it.
/// Reading a conversation, listing and explaining wait for no turn: they see the last stored version.
/// </remarks>
public sealed partial class LocalConversations : IConversations, IAsyncDisposable
{
    private readonly ConversationServices _services;
    private readonly ActiveConversations _active;
    private readonly LocalConversationsMetrics _metrics;
    private readonly int _maxActive;
    private readonly ITimer _sweep;
    private readonly CancellationTokenSource _stopping = new();
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

    // Calls under way, and one for the host itself until it is disposed.
    private int _calls = 1;
    private int _disposed;
    private long _conflicts;

    /// <summary>Hosts conversations from now on.</summary>
    /// <exception cref="ArgumentException">An option is out of range.</exception>
    public LocalConversations(ConversationServices services, LocalConversationsOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        options ??= new();
        options.Validate();
        _services = services;
        _active = new(services, options);
        _maxActive = options.MaxActive;
        _predictor = options.WarmAhead > TimeSpan.Zero ? new(options.WarmAhead, RememberedPerActive * options.MaxActive) : null;
        _metrics = new(Snapshot);
        services.Erasures.Tick();
        _sweep = services.Time.CreateTimer(_ => SweepIfOpen(), null, options.SweepEvery, options.SweepEvery);
    }

    /// <summary>What the conversations work with.</summary>
    public ConversationServices Services => _services;

    /// <summary>Whether a conversation is in memory.</summary>
    public bool IsActive(ConversationKey key) => _active.StateOf(key) is not null;

    /// <summary>Until when a conversation in memory is pinned; null = it is not in memory, or not pinned now.</summary>
    public DateTimeOffset? PinnedUntil(ConversationKey key) => _active.StateOf(key)?.PinnedUntil is { } until && until > _services.Time.GetUtcNow() ? until : null;

    /// <summary>Takes a conversation out of memory, and gives up its blocks, unless a call is under way: then it goes when it has been idle.</summary>
    public void Release(ConversationKey key) => _active.Release(key);

    /// <summary>What is in memory now, and what was done so far.</summary>
    public LocalConversationsSnapshot Snapshot() =>
        new(_active.Count, _active.BusyCount, _active.IdleLeasedBlocks, _active.Activations, Interlocked.Read(ref _conflicts))
        {
            Preloads = Interlocked.Read(ref _preloads), // before the tokens, which are counted first
            PreloadedTokens = Interlocked.Read(ref _preloadedTokens),
            ErasuresOwed = _services.Erasures.OwedCount,
            ErasuresGivenUp = _services.Erasures.GivenUp,
            BackgroundFaults = _services.Erasures.Background.Faults,
            BackgroundRefused = _services.Erasures.Background.Refused,
        };

    /// <inheritdoc/>
    public Task<ConversationView> CreateAsync(string tenant, CreateConversation request, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        var key = new ConversationKey(tenant, request.Id ?? NewId());
        return CallAsync(key, (conversation, token) => conversation.CreateAsync(request.Messages ?? [], request.ContextPolicy, token), cancellationToken);
    }

    /// <inheritdoc/>
    public async Task<ConversationView> GetAsync(ConversationKey key, CancellationToken cancellationToken = default) =>
        (await ReadAsync(key, cancellationToken).ConfigureAwait(false)).ToView(_services.Time.GetUtcNow());

    /// <inheritdoc/>
    public async Task<IReadOnlyList<ConversationSummary>> ListAsync(string tenant, CancellationToken cancellationToken = default) =>
        [.. (await SummariesAsync(tenant, cancellationToken).ConfigureAwait(false)).OrderByDescending(summary => summary.UpdatedAt).ThenBy(summary => summary.Id, StringComparer.Ordinal)];

    /// <inheritdoc/>
    public async Task<ConversationPage> ListPageAsync(string tenant, int limit = ConversationPage.DefaultLimit, string? after = null, CancellationToken cancellationToken = default)
    {
        ConversationPage.CheckLimit(limit);
        return ConversationPage.Of(await SummariesAsync(tenant, cancellationToken).ConfigureAwait(false), limit, after);
    }

    /// <inheritdoc/>
    public IAsyncEnumerable<TurnEvent> TurnAsync(ConversationKey key, TurnRequest request, CancellationToken cancellationToken = default)
    {
        InputCheck.Turn(request);
        return StreamAsync(key, (conversation, token) => conversation.TurnAsync(request, token), cancellationToken);
    }

    /// <inheritdoc/>
    public IAsyncEnumerable<TurnEvent> RegenerateAsync(ConversationKey key, GenerationOptions options, CancellationToken cancellationToken = default)
    {
        InputCheck.Generation(options);
        return StreamAsync(key, (conversation, token) => conversation.RegenerateAsync(options, token), cancellationToken);
    }

    /// <inheritdoc/>
    public Task<EditReceipt> EditAsync(ConversationKey key, EditRequest request, CancellationToken cancellationToken = default) =>
        CallAsync(key, (conversation, token) => conversation.EditAsync(request, token), cancellationToken);

    /// <inheritdoc/>
    public Task<EditReceipt> TruncateAsync(ConversationKey key, int index, CancellationToken cancellationToken = default) =>
        CallAsync(key, (conversation, token) => conversation.TruncateAsync(index, token), cancellationToken);

    /// <inheritdoc/>
    public async Task<ConversationView> ForkAsync(ConversationKey key, ForkRequest request, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        var fork = new ConversationKey(key.Tenant, request.Id ?? NewId());
        ConversationState state = await CallAsync(key, (conversation, token) => conversation.ForkAsync(fork, request.At, token), cancellationToken).ConfigureAwait(false);
        // The fork is stored. That it holds its blocks from the start only makes its first turn surer to find them, so it may fail.
        await CallAsync(fork, (conversation, token) => conversation.HoldAsync(token), CancellationToken.None)
            .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return state.ToView(_services.Time.GetUtcNow());
    }

    /// <inheritdoc/>
    public Task<EditReceipt> UndoAsync(ConversationKey key, CancellationToken cancellationToken = default) =>
        CallAsync(key, (conversation, token) => conversation.UndoAsync(token), cancellationToken);

    /// <inheritdoc/>
    public Task<WarmReceipt> WarmAsync(ConversationKey key, CancellationToken cancellationToken = default) =>
        CallAsync(key, (conversation, token) => conversation.WarmAsync(token), cancellationToken);

    /// <inheritdoc/>
    public Task<PinReceipt> PinAsync(ConversationKey key, TimeSpan? ttl, CancellationToken cancellationToken = default) =>
        CallAsync(key, (conversation, token) => conversation.PinAsync(ttl, token), cancellationToken);

    /// <inheritdoc/>
    public Task UnpinAsync(ConversationKey key, CancellationToken cancellationToken = default) =>
        CallAsync(key, (conversation, token) => conversation.UnpinAsync(token), cancellationToken);

    /// <inheritdoc/>
    public async Task<Explanation> ExplainAsync(ConversationKey key, CancellationToken cancellationToken = default) =>
        Conversation.Explain(await ReadAsync(key, cancellationToken).ConfigureAwait(false));

    /// <inheritdoc/>
    public Task<DeleteReceipt> DeleteAsync(ConversationKey key, CancellationToken cancellationToken = default) =>
        CallAsync(key, (conversation, token) => conversation.DeleteAsync(token), cancellationToken);

    /// <summary>Takes no more calls, cancels the turns that run, waits until they have ended, and releases all blocks. What was acknowledged is on the store.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) == 0)
        {
            await _sweep.DisposeAsync().ConfigureAwait(false);
            await _stopping.CancelAsync().ConfigureAwait(false);
            EndCall();
        }

        await _ended.Task.ConfigureAwait(false);
        _active.Clear();
        await _services.Erasures.IdleAsync().ConfigureAwait(false);
        await _services.Paths.Ready.ConfigureAwait(false);
        _metrics.Dispose();
    }

    private async Task<IEnumerable<ConversationSummary>> SummariesAsync(string tenant, CancellationToken cancellationToken)
    {
        ConversationKey.Validate(tenant, nameof(tenant));
        IReadOnlyList<ConversationSummary> stored = await _services.Store.ListAsync(tenant, cancellationToken).ConfigureAwait(false);
        HashSet<string> active = [.. _active.Keys().Where(key => key.Tenant == tenant).Select(key => key.Id)];
        return stored.Select(summary => summary with { Active = active.Contains(summary.Id) });
    }

    private static string NewId() => "conv-" + Guid.CreateVersion7().ToString("n");

    private async Task<ConversationState> ReadAsync(ConversationKey key, CancellationToken cancellationToken)
    {
        ConversationVersion? stored = await _services.Store.ReadVersionAsync(key, cancellationToken).ConfigureAwait(false);
        if (stored is not null && _active.StateOf(key) is { } state && state.Version == stored)
            return state;
        return (stored is null ? null : await _services.Store.ReadAsync(key, cancellationToken).ConfigureAwait(false)) ?? throw new ConversationNotFoundException(key);
    }

    private Task CallAsync(ConversationKey key, Func<Conversation, CancellationToken, Task> call, CancellationToken cancellationToken) =>
        CallAsync<object?>(
            key,
            async (conversation, token) =>
            {
                await call(conversation, token).ConfigureAwait(false);
                return null;
            },
            cancellationToken);

    private async Task<T> CallAsync<T>(ConversationKey key, Func<Conversation, CancellationToken, Task<T>> call, CancellationToken cancellationToken)
    {
        BeginCall();
        try
        {
            using var linked = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _stopping.Token);
            using EnteredConversation entered = await _active.EnterAsync(key, linked.Token).ConfigureAwait(false);
            return await call(entered.Conversation, linked.Token).ConfigureAwait(false);
        }
        catch (ConversationConflictException)
        {
            Interlocked.Increment(ref _conflicts);
            throw;
        }
        finally
        {
            EndCall();
        }
    }

    private async IAsyncEnumerable<TurnEvent> StreamAsync(
        ConversationKey key,
        Func<Conversation, CancellationToken, IAsyncEnumerable<TurnEvent>> turn,
        [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var leaving = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var events = Channel.CreateUnbounded<TurnEvent>(new() { SingleReader = true, SingleWriter = true });
        Task running = RunTurnAsync(key, turn, events.Writer, leaving.Token);
        try
        {
            await foreach (TurnEvent one in events.Reader.ReadAllAsync(CancellationToken.None).ConfigureAwait(false))
                yield return one;
        }
        finally
        {
            await leaving.CancelAsync().ConfigureAwait(false);
            await running.ConfigureAwait(false);
        }
    }

    // Every error goes to the reader through the channel.
    private async Task RunTurnAsync(
        ConversationKey key,
        Func<Conversation, CancellationToken, IAsyncEnumerable<TurnEvent>> turn,
        ChannelWriter<TurnEvent> events,
        CancellationToken cancellationToken)
    {
        try
        {
            _predictor?.TurnStarted(key, _services.Time.GetUtcNow());
            await CallAsync(
                key,
                async (conversation, token) =>
                {
                    await foreach (TurnEvent one in turn(conversation, token).ConfigureAwait(false))
                        events.TryWrite(one);
                },
                cancellationToken).ConfigureAwait(false);
            events.Complete();
        }
        catch (Exception exception)
        {
            events.Complete(exception);
        }
        finally
        {
            _predictor?.TurnEnded(key, _services.Time.GetUtcNow());
        }
    }

    private void SweepIfOpen()
    {
        if (Volatile.Read(ref _disposed) != 0)
            return;
        _active.Sweep();
        _services.Erasures.Tick();
        PreloadDue();
    }

    private void BeginCall()
    {
        Interlocked.Increment(ref _calls);
        if (Volatile.Read(ref _disposed) == 0)
            return;
        EndCall();
        throw new ObjectDisposedException(nameof(LocalConversations));
    }

    private void EndCall()
    {
        if (Interlocked.Decrement(ref _calls) == 0)
            _ended.TrySetResult();
    }
}
