using System.Runtime.CompilerServices;
using KvTiers.Inference.Tokens;
using KvTiers.Orleans.Grains;
using KvTiers.Orleans.Placement;
using KvTiers.Orleans.Serialization;
using KvTiers.Orleans.Streaming;
using KvTiers.Sessions;

namespace KvTiers.Orleans.Clients;

/// <summary>Conversations of a cluster: the same calls, answers and exceptions as in process, whichever silo has the conversation.</summary>
/// <remarks>
/// Thread-safe. From a silo as well as from a process outside the cluster. Beyond the exceptions of <see cref="IConversations"/>:
/// <see cref="ConversationUnreachableException"/> when the silo went away during the call. A turn may then have been stored; whoever names the version
/// it follows can repeat it safely.
/// </remarks>
public sealed class ClusterConversations(IGrainFactory grains) : IConversations
{
    /// <inheritdoc/>
    public Task<ConversationView> CreateAsync(string tenant, CreateConversation request, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        var key = new ConversationKey(tenant, request.Id ?? NewId());
        return CallAsync(key, grain => grain.CreateAsync(request with { Id = key.Id }, cancellationToken), request.Messages);
    }

    /// <inheritdoc/>
    public Task<ConversationView> GetAsync(ConversationKey key, CancellationToken cancellationToken = default) =>
        CallAsync(key, grain => grain.GetAsync(cancellationToken));

    /// <inheritdoc/>
    public async Task<IReadOnlyList<ConversationSummary>> ListAsync(string tenant, CancellationToken cancellationToken = default)
    {
        ConversationKey.Validate(tenant, nameof(tenant));
        try
        {
            return await grains.GetGrain<ITenantGrain>(tenant).ListAsync(cancellationToken).ConfigureAwait(false);
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
        return StreamAsync(key, (grain, reading) => grain.TurnAsync(reading, request), request.Mode == TurnMode.History ? request.Messages : null, cancellationToken);
    }

    /// <inheritdoc/>
    public IAsyncEnumerable<TurnEvent> RegenerateAsync(ConversationKey key, GenerationOptions options, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        return StreamAsync(key, (grain, reading) => grain.RegenerateAsync(reading, options), null, cancellationToken);
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
        key.Id is null ? throw new ArgumentException("The conversation's key is empty.", nameof(key)) : grains.GetGrain<IConversationGrain>(key.ToString());

    private async Task<T> CallAsync<T>(ConversationKey key, Func<IConversationGrain, Task<T>> call, IReadOnlyList<ChatMessage>? opening = null)
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

    // Two fetches are under way at any time: what the silo has ready need not wait for the next one.
    private async IAsyncEnumerable<TurnEvent> StreamAsync(
        ConversationKey key,
        Func<IConversationGrain, Guid, Task<TurnBatch>> begin,
        IReadOnlyList<ChatMessage>? opening,
        [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        IConversationGrain grain = GrainOf(key);
        var reading = Guid.NewGuid();
        Task<TurnBatch> fetch, ahead;
        using (PlacementOpening.Tell(opening))
            (fetch, ahead) = (begin(grain, reading), grain.NextAsync(reading, 1));
        bool isOver = false, hasOvertaken = false;
        try
        {
            for (int number = 2; !isOver; number++)
            {
                TurnBatch batch;
                try
                {
                    batch = await fetch.WaitAsync(cancellationToken).ConfigureAwait(false);
                }
                catch (Exception exception) when (fetch.IsFaulted && Translate(exception, key) is { } translated)
                {
                    isOver = true;
                    throw translated;
                }
                catch (OperationCanceledException exception) when (fetch.IsCanceled && !cancellationToken.IsCancellationRequested)
                {
                    isOver = true;
                    throw new ConversationUnreachableException("The silo that has the conversation is stopping.", exception);
                }

                if (batch.IsOver && number == 3 && !hasOvertaken)
                {
                    // It may have been there before the call that begins the turn, which has begun by now.
                    hasOvertaken = true;
                    fetch = grain.NextAsync(reading, 1);
                    number--;
                    continue;
                }

                if (batch.IsOver)
                    throw new ConversationUnreachableException("The silo that has the conversation ended the turn.");
                isOver = batch.Completed is not null;
                if (!isOver)
                    (fetch, ahead) = (ahead, grain.NextAsync(reading, number));
                foreach (TurnEvent one in batch.Events)
                    yield return one;
            }
        }
        finally
        {
            Forget(fetch);
            Forget(ahead);

            // Leaving a turn ends it, and that is waited for.
            if (!isOver)
                await grain.LeaveAsync(reading).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private static void Forget(Task fetch) =>
        fetch.ContinueWith(static ended => _ = ended.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted | TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);

    private static Exception? Translate(Exception exception, ConversationKey? key) => exception switch
    {
        ConversationFault fault => fault.ToException(key),
        TimeoutException or OrleansException => new ConversationUnreachableException("The silo that has the conversation went away during the call, or none could be reached: " + exception.Message, exception),
        _ => null,
    };
}
