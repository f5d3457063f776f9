using System.Runtime.CompilerServices;
using KvTiers.Conversations;
using KvTiers.Orleans.Grains;
using KvTiers.Orleans.Placement;
using KvTiers.Orleans.Serialization;
using KvTiers.Orleans.Streaming;
using KvTiers.Sessions.Hosting;

namespace KvTiers.Orleans.Clients;

/// <summary>Conversations of a cluster: the same calls, answers and exceptions as in process, whichever silo has the conversation.</summary>
/// <remarks>
/// Thread-safe. From a silo as well as from a process outside the cluster. Beyond the exceptions of <see cref="IConversations"/>:
/// <see cref="ConversationUnreachableException"/> when the silo went away during the call. A turn may then have been stored; whoever names the version
/// it follows can repeat it safely.
/// </remarks>
public sealed class ClusterConversations : IConversations
{
    private readonly IGrainFactory _grains;
    private readonly Residences? _residences;

    /// <summary>From a process outside the cluster, or a silo whose own conversations it does not know.</summary>
    public ClusterConversations(IGrainFactory grains)
        : this(grains, null)
    {
    }

    /// <summary>From a silo: turns of conversations that it has itself need no messages.</summary>
    internal ClusterConversations(IGrainFactory grains, Residences? residences)
    {
        ArgumentNullException.ThrowIfNull(grains);
        (_grains, _residences) = (grains, residences);
    }

    /// <inheritdoc/>
    public Task<ConversationView> CreateAsync(string tenant, CreateConversation request, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        var key = new ConversationKey(tenant, request.Id ?? NewId());
        return CallAsync(key, grain => grain.CreateAsync(request with { Id = key.Id }, cancellationToken), PlacementOpening.Of(request.Messages));
    }

    /// <inheritdoc/>
    public Task<ConversationView> GetAsync(ConversationKey key, CancellationToken cancellationToken = default) =>
        CallAsync(key, grain => grain.GetAsync(cancellationToken));

    /// <inheritdoc/>
    public Task<IReadOnlyList<ConversationSummary>> ListAsync(string tenant, CancellationToken cancellationToken = default) =>
        CallTenantAsync(tenant, grain => grain.ListAsync(cancellationToken));

    /// <inheritdoc/>
    public Task<ConversationPage> ListPageAsync(string tenant, int limit = ConversationPage.DefaultLimit, string? after = null, CancellationToken cancellationToken = default)
    {
        ConversationPage.CheckLimit(limit);
        return CallTenantAsync(tenant, grain => grain.ListPageAsync(limit, after, cancellationToken));
    }

    private async Task<T> CallTenantAsync<T>(string tenant, Func<ITenantGrain, Task<T>> call)
    {
        ConversationKey.Validate(tenant, nameof(tenant));
        try
        {
            return await call(_grains.GetGrain<ITenantGrain>(tenant)).ConfigureAwait(false);
        }
        catch (Exception exception) when (Translate(exception, null) is { } translated)
        {
            throw translated;
        }
    }

    /// <inheritdoc/>
    public IAsyncEnumerable<TurnEvent> TurnAsync(ConversationKey key, TurnRequest request, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        PlacementOpening? opening = request.Mode == TurnMode.History ? PlacementOpening.Of(request.Messages, request.Options?.Tools?.Definitions) : null;
        return StreamAsync(key, local => local.TurnAsync(key, request), grain => grain.TurnAsync(request), opening, cancellationToken);
    }

    /// <inheritdoc/>
    public IAsyncEnumerable<TurnEvent> RegenerateAsync(ConversationKey key, GenerationOptions options, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        return StreamAsync(key, local => local.RegenerateAsync(key, options), grain => grain.RegenerateAsync(options), null, cancellationToken);
    }

    /// <inheritdoc/>
    public Task<EditReceipt> EditAsync(ConversationKey key, EditRequest request, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        return CallAsync(key, grain => grain.EditAsync(request, cancellationToken));
    }

    /// <inheritdoc/>
    public Task<EditReceipt> TruncateAsync(ConversationKey key, int index, CancellationToken cancellationToken = default) =>
        CallAsync(key, grain => grain.TruncateAsync(index, cancellationToken));

    /// <inheritdoc/>
    public Task<ConversationView> ForkAsync(ConversationKey key, ForkRequest request, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        var fork = new ConversationKey(key.Tenant, request.Id ?? NewId());
        return CallAsync(key, grain => grain.ForkAsync(request with { Id = fork.Id }, cancellationToken));
    }

    /// <inheritdoc/>
    public Task<EditReceipt> UndoAsync(ConversationKey key, CancellationToken cancellationToken = default) =>
        CallAsync(key, grain => grain.UndoAsync(cancellationToken));

    /// <inheritdoc/>
    public Task<WarmReceipt> WarmAsync(ConversationKey key, CancellationToken cancellationToken = default) =>
        CallAsync(key, grain => grain.WarmAsync(cancellationToken));

    /// <inheritdoc/>
    public Task<PinReceipt> PinAsync(ConversationKey key, TimeSpan? ttl, CancellationToken cancellationToken = default) =>
        CallAsync(key, grain => grain.PinAsync(ttl, cancellationToken));

    /// <inheritdoc/>
    public Task UnpinAsync(ConversationKey key, CancellationToken cancellationToken = default) =>
        CallAsync<object?>(key, async grain =>
        {
            await grain.UnpinAsync(cancellationToken).ConfigureAwait(false);
            return null;
        });

    /// <inheritdoc/>
    public Task<Explanation> ExplainAsync(ConversationKey key, CancellationToken cancellationToken = default) =>
        CallAsync(key, grain => grain.ExplainAsync(cancellationToken));

    /// <inheritdoc/>
    public Task<DeleteReceipt> DeleteAsync(ConversationKey key, CancellationToken cancellationToken = default) =>
        CallAsync(key, grain => grain.DeleteAsync(cancellationToken));

    private static string NewId() => "conv-" + Guid.CreateVersion7().ToString("n");

    private IConversationGrain GrainOf(ConversationKey key) =>
        key.Id is null ? throw new ArgumentException("The conversation's key is empty.", nameof(key)) : _grains.GetGrain<IConversationGrain>(key.ToString());

    private async Task<T> CallAsync<T>(ConversationKey key, Func<IConversationGrain, Task<T>> call, PlacementOpening? opening = null)
    {
        try
        {
            Task<T> running;
            using (PlacementOpening.Tell(opening))
                running = call(GrainOf(key));
            return await running.ConfigureAwait(false);
        }
        catch (Exception exception) when (Translate(exception, key) is { } translated)
        {
            throw translated;
        }
    }

    private async IAsyncEnumerable<TurnEvent> StreamAsync(
        ConversationKey key,
        Func<LocalConversations, IAsyncEnumerable<TurnEvent>> here,
        Func<IConversationGrain, IAsyncEnumerable<TurnBatch>> elsewhere,
        PlacementOpening? opening,
        [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        IConversationGrain grain = GrainOf(key);
        IAsyncEnumerable<TurnEvent> events;
        if (_residences?.Of(key) is { } residence && residence.TryEnter(out bool isFirst))
        {
            events = residence.ReadAsync(() =>
            {
                if (isFirst)
                    Forget(grain.StayAsync());
                return here(_residences.Local!);
            });
        }
        else
        {
            events = ReceiveAsync(key, elsewhere(grain), opening);
        }

        await foreach (TurnEvent one in events.WithCancellation(cancellationToken).ConfigureAwait(false))
            yield return one;
    }

    // One batch a message, which is what is ready by then; the next one is asked for before this one is passed on.
    private static async IAsyncEnumerable<TurnEvent> ReceiveAsync(
        ConversationKey key, IAsyncEnumerable<TurnBatch> turn, PlacementOpening? opening, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        using var leaving = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        IAsyncEnumerator<TurnBatch> batches = turn.WithBatchSize(1).GetAsyncEnumerator(leaving.Token);
        Task<bool> next;
        using (PlacementOpening.Tell(opening))
            next = batches.MoveNextAsync().AsTask();
        bool isOver = false;
        try
        {
            while (!isOver)
            {
                try
                {
                    isOver = !await next.ConfigureAwait(false);
                }
                catch (Exception exception) when (Translate(exception, key) is { } translated)
                {
                    isOver = true;
                    throw translated;
                }
                catch (OperationCanceledException exception) when (!cancellationToken.IsCancellationRequested)
                {
                    isOver = true;
                    throw new ConversationUnreachableException("The silo that has the conversation is stopping.", exception);
                }

                if (isOver)
                    throw new ConversationUnreachableException("The silo that has the conversation ended the turn.");
                TurnBatch batch = batches.Current;
                isOver = batch.Completed is not null;
                if (!isOver)
                    next = batches.MoveNextAsync().AsTask();
                foreach (TurnEvent one in batch.Events)
                    yield return one;
            }
        }
        finally
        {
            // Leaving a turn ends it, and that is waited for. What was under way when it was cancelled has waited for it already.
            if (!isOver)
            {
                await leaving.CancelAsync().ConfigureAwait(false);
                await ((Task)next).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }

            Task end = batches.DisposeAsync().AsTask();
            if (!isOver && next.IsCompletedSuccessfully)
                await end.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            else
                Forget(end);
        }
    }

    private static void Forget(Task fetch) =>
        fetch.ContinueWith(static ended => _ = ended.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted | TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);

    private static Exception? Translate(Exception exception, ConversationKey? key) => exception switch
    {
        ConversationFault fault => fault.ToException(key),
        TimeoutException or OrleansException or EnumerationAbortedException => new ConversationUnreachableException("The silo that has the conversation went away during the call, or none could be reached: " + exception.Message, exception),
        _ => null,
    };
}
