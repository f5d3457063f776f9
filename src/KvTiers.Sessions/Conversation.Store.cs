using KvTiers.Conversations;
using KvTiers.Sessions.Changes;
using KvTiers.Sessions.Log;
using KvTiers.Sessions.Turns;

namespace KvTiers.Sessions;

public sealed partial class Conversation
{
    private async Task RefreshAsync(CancellationToken cancellationToken)
    {
        ConversationVersion? stored = await _services.Store.ReadVersionAsync(Key, cancellationToken).ConfigureAwait(false);
        if (stored == _state?.Version)
            return;
        Adopt(stored is null ? null : await _services.Store.ReadAsync(Key, cancellationToken).ConfigureAwait(false));
    }

    private async Task<ConversationState> RequireAsync(long? expectedVersion, CancellationToken cancellationToken)
    {
        await RefreshAsync(cancellationToken).ConfigureAwait(false);
        ConversationState state = _state ?? throw new ConversationNotFoundException(Key);
        CheckVersion(state, expectedVersion);
        return state;
    }

    private void CheckVersion(ConversationState? state, long? expectedVersion)
    {
        if (expectedVersion is null || expectedVersion == (state?.Version.Number ?? 0))
            return;
        if (state is null)
            throw new ConversationNotFoundException(Key);
        throw new ConversationConflictException(
            Key,
            $"The conversation '{Key.Id}' is at version {state.Version.Number}, not {expectedVersion}. Read it again and repeat the change.",
            expectedVersion,
            state.Version.Number);
    }

    // Another process has written, or this one has read for the first time: the blocks follow the new log.
    private void Adopt(ConversationState? next)
    {
        ConversationState? former = _state;
        Become(next);
        if (next is null)
        {
            ReleaseLease();
        }
        else if (former is not null)
        {
            SupersedeSoon(former.Log, next.Log);
            AbandonUnreachable(former, next);
        }

        RenewPin();
    }

    // Stores a change of the newest version; null changes nothing. When another writer is first, the change is made again for what it wrote.
    private async Task<(ConversationState Former, ConversationState Next)> CommitAsync(
        Func<ConversationState, ConversationChange?> change, long? expectedVersion, CancellationToken cancellationToken)
    {
        for (int attempt = 0; ; attempt++)
        {
            ConversationState state = await RequireAsync(expectedVersion, cancellationToken).ConfigureAwait(false);
            if (attempt == MaxAttempts)
                throw Contended(state);
            if (change(state) is not { } made)
                return (state, state);
            if (await _services.Store.TryAppendAsync(Key, state.Version, made, cancellationToken).ConfigureAwait(false))
                return (state, Follow(state, made));
        }
    }

    private async Task<ConversationState> StoreNewAsync(ConversationCreated created, CancellationToken cancellationToken)
    {
        if (!await _services.Store.TryAppendAsync(Key, replaced: null, created, cancellationToken).ConfigureAwait(false))
            throw Taken(Key);
        ConversationState state = ConversationState.Create(Key, created);
        Become(state);
        return state;
    }

    // What a turn has made, stored on its base or, when that was only pinned or unpinned meanwhile, on what it became.
    private async Task<ConversationState> StoreTurnAsync(TurnPlan plan, ConversationChange change, long? expectedVersion)
    {
        if (change is ConversationCreated created)
            return await StoreNewAsync(created, CancellationToken.None).ConfigureAwait(false);
        ConversationState state = plan.Base!;
        for (int attempt = 0; attempt < MaxAttempts; attempt++)
        {
            if (await _services.Store.TryAppendAsync(Key, state.Version, change, CancellationToken.None).ConfigureAwait(false))
                return Follow(state, change);
            await RefreshAsync(CancellationToken.None).ConfigureAwait(false);
            bool same = _state is not null && _state.Version.Incarnation == state.Version.Incarnation && _state.Log.SameAs(state.Log);
            if (!same || expectedVersion is not null)
                break;
            state = _state!;
        }

        throw new ConversationConflictException(
            Key,
            $"The conversation '{Key.Id}' was changed by someone else during the turn; the answer was not stored. Read it again and repeat the turn.",
            plan.Base!.Version.Number,
            _state?.Version.Number);
    }

    private ConversationState Follow(ConversationState state, ConversationChange change)
    {
        ConversationState next = state.Apply(change);
        AbandonUnreachable(state, next);
        Become(next);
        return next;
    }

    // Logs that neither undo nor the log itself leads to any more: nobody but a deletion will ask for their blocks.
    private void AbandonUnreachable(ConversationState former, ConversationState next)
    {
        foreach (TokenLog log in former.Undo.Add(former.Log).Add(former.LastTurnLog ?? TokenLog.Empty))
        {
            bool reachable = log.SameAs(next.Log) || (next.LastTurnLog is { } last && log.SameAs(last)) || next.Undo.Any(log.SameAs);
            if (log.TokenCount > 0 && !reachable)
                Abandon(log.Tokens);
        }
    }

    private ConversationConflictException Contended(ConversationState state) =>
        new(Key, $"The conversation '{Key.Id}' is being changed by others all the time; the change was given up.", actualVersion: state.Version.Number);

    private static ConversationConflictException Taken(ConversationKey key) => new(key, $"There is already a conversation '{key.Id}'.");
}
