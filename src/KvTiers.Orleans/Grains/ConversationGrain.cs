using System.Runtime.CompilerServices;
using KvTiers.Conversations;
using KvTiers.Orleans.Hosting;
using KvTiers.Orleans.Placement;
using KvTiers.Orleans.Serialization;
using KvTiers.Orleans.Streaming;
using KvTiers.Sessions;
using KvTiers.Sessions.Hosting;
using Orleans.Concurrency;

namespace KvTiers.Orleans.Grains;

/// <summary>The address of a <see cref="Conversation"/>: the actor itself is in memory on the silo that has the grain, among those whose blocks it shares.</summary>
/// <remarks>
/// Reentrant, because the actor's host lets one changing call in at a time itself, and reads need not wait for a turn. That there are two activations for
/// a moment costs time and nothing else: the store decides.
/// </remarks>
[GrainType("conversation")]
[Reentrant]
[PrefixPlacement]
internal sealed class ConversationGrain(SiloConversations silo) : Grain, IConversationGrain
{
    private static readonly TimeSpan LongestStay = TimeSpan.FromDays(365);

    private readonly HashSet<RunningTurn> _turns = [];
    private Residence? _residence;
    private bool _stays;

    private ConversationKey Key => GrainKey.Read(this.GetPrimaryKeyString());

    public Task<ConversationView> CreateAsync(CreateConversation request, CancellationToken cancellationToken) =>
        CallAsync(conversations => conversations.CreateAsync(Key.Tenant, request with { Id = Key.Id }, cancellationToken), cancellationToken);

    public Task<ConversationView> GetAsync(CancellationToken cancellationToken) =>
        CallAsync(conversations => conversations.GetAsync(Key, cancellationToken), cancellationToken);

    public IAsyncEnumerable<TurnBatch> TurnAsync(TurnRequest request) => StreamAsync(conversations => conversations.TurnAsync(Key, request));

    public IAsyncEnumerable<TurnBatch> RegenerateAsync(GenerationOptions options) => StreamAsync(conversations => conversations.RegenerateAsync(Key, options));

    public async Task StayAsync()
    {
        await _residence!.WhenIdleAsync();
        StayWhilePinned(await silo.LocalAsync(CancellationToken.None));
    }

    public Task<EditReceipt> EditAsync(EditRequest request, CancellationToken cancellationToken) =>
        CallAsync(conversations => conversations.EditAsync(Key, request, cancellationToken), cancellationToken);

    public Task<EditReceipt> TruncateAsync(int index, CancellationToken cancellationToken) =>
        CallAsync(conversations => conversations.TruncateAsync(Key, index, cancellationToken), cancellationToken);

    public Task<ConversationView> ForkAsync(ForkRequest request, CancellationToken cancellationToken) =>
        CallAsync(conversations => conversations.ForkAsync(Key, request, cancellationToken), cancellationToken);

    public Task<EditReceipt> UndoAsync(CancellationToken cancellationToken) =>
        CallAsync(conversations => conversations.UndoAsync(Key, cancellationToken), cancellationToken);

    public Task<WarmReceipt> WarmAsync(CancellationToken cancellationToken) =>
        CallAsync(conversations => conversations.WarmAsync(Key, cancellationToken), cancellationToken);

    public Task<PinReceipt> PinAsync(TimeSpan? ttl, CancellationToken cancellationToken) =>
        CallAsync(conversations => conversations.PinAsync(Key, ttl, cancellationToken), cancellationToken);

    public Task UnpinAsync(CancellationToken cancellationToken) =>
        CallAsync<object?>(
            async conversations =>
            {
                await conversations.UnpinAsync(Key, cancellationToken);
                return null;
            },
            cancellationToken);

    public Task<Explanation> ExplainAsync(CancellationToken cancellationToken) =>
        CallAsync(conversations => conversations.ExplainAsync(Key, cancellationToken), cancellationToken);

    public async Task<DeleteReceipt> DeleteAsync(CancellationToken cancellationToken)
    {
        DeleteReceipt receipt = await CallAsync(conversations => conversations.DeleteAsync(Key, cancellationToken), cancellationToken);
        DeactivateOnIdle();
        return receipt;
    }

    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        _residence = silo.Residences.Settle(Key);
        silo.Metrics.Activated();
        return Task.CompletedTask;
    }

    public override async Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        foreach (RunningTurn turn in _turns.ToArray())
            await turn.DisposeAsync();

        // One that came just as the grain was given up, for being idle or for having nothing to keep, goes on to its end.
        bool isIdle = reason.ReasonCode is DeactivationReasonCode.ActivationIdle or DeactivationReasonCode.ApplicationRequested;
        await silo.Residences.ReleaseAsync(Key, _residence!, isIdle ? cancellationToken : new CancellationToken(canceled: true));
        silo.Metrics.Deactivated();
    }

    private async Task<T> CallAsync<T>(Func<LocalConversations, Task<T>> call, CancellationToken cancellationToken)
    {
        try
        {
            LocalConversations conversations = await silo.LocalAsync(cancellationToken);
            T result = await call(conversations);
            StayWhilePinned(conversations);
            return result;
        }
        catch (Exception exception) when (ConversationFault.From(exception) is { } fault)
        {
            LeaveIfUnknown(exception);
            throw fault;
        }
    }

    // Orleans asks for a batch when the caller asks for one, and disposes of this when the caller does, when it has asked for nothing for long, or with the grain.
    private async IAsyncEnumerable<TurnBatch> StreamAsync(
        Func<LocalConversations, IAsyncEnumerable<TurnEvent>> begin, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        RunningTurn? turn = null;
        try
        {
            while (await AdvanceAsync())
                yield return turn!.Current;
        }
        finally
        {
            if (turn is not null)
            {
                await turn.DisposeAsync();
                _turns.Remove(turn);
                silo.TurnEnds();
            }
        }

        async Task<bool> AdvanceAsync()
        {
            try
            {
                LocalConversations conversations = await silo.LocalAsync(cancellationToken);
                if (turn is null)
                {
                    _turns.Add(turn = new(begin(conversations), silo.Time, cancellationToken));
                    silo.TurnBegins();
                }

                if (!await turn.MoveNextAsync())
                    return false;
                if (turn.Current.Completed is not null)
                    StayWhilePinned(conversations);
                return true;
            }
            catch (Exception exception) when (ConversationFault.From(exception) is { } fault)
            {
                LeaveIfUnknown(exception, turn);
                throw fault;
            }
        }
    }

    // A pin is this silo's: with the grain it would go.
    private void StayWhilePinned(LocalConversations conversations)
    {
        if (conversations.PinnedUntil(Key) is { } until)
        {
            TimeSpan left = until - conversations.Services.Time.GetUtcNow();
            DelayDeactivation(left < LongestStay ? left : LongestStay);
            _stays = true;
        }
        else if (_stays)
        {
            DelayDeactivation(TimeSpan.Zero);
            _stays = false;
        }
    }

    // A turn that is under way may be what makes the conversation.
    private void LeaveIfUnknown(Exception exception, RunningTurn? failed = null)
    {
        if (exception is ConversationNotFoundException && _turns.All(turn => turn == failed) && _residence!.WhenIdleAsync().IsCompleted)
            DeactivateOnIdle();
    }
}
