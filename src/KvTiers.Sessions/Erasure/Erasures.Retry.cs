using KvTiers.Conversations;
using KvTiers.Sessions.Changes;
using KvTiers.Sessions.Storage;

namespace KvTiers.Sessions.Erasure;

/// <content>What is owed is tried again: at the start, when a tier is back, and when somebody asks.</content>
internal sealed partial class Erasures
{
    private int _isTicking;
    private Task _ticking = Task.CompletedTask;

    /// <summary>From the host's timer, and at its start: tries what is due, in the background.</summary>
    public void Tick()
    {
        bool hasWork = !_isRead || OwedCount > 0;
        if (!hasWork || Interlocked.Exchange(ref _isTicking, 1) == 1)
            return;
        _ticking = Task.Run(async () =>
        {
            try
            {
                await RetryDueAsync().ConfigureAwait(false);
            }
            finally
            {
                Volatile.Write(ref _isTicking, 0);
            }
        });
    }

    /// <summary>Tries once more what the deletion of a conversation owes.</summary>
    /// <returns>How far it is; null = nothing is known to be owed.</returns>
    public async Task<DeleteReceipt?> TryAgainAsync(ConversationKey key)
    {
        OwedErasure? owed;
        lock (_lock)
            owed = _owed.Values.Where(one => one.IsRecorded && one.Tombstone.Key == key).MaxBy(one => one.Tombstone.DeletedAt);
        if (owed is null)
            return null;
        await TryAgainAsync(owed).ConfigureAwait(false);
        return owed.IsRecordGone ? ReceiptOf(owed) : null;
    }

    /// <summary>Ends when what is being done now is done, or was given up for now.</summary>
    public async Task IdleAsync()
    {
        await _ticking.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await Background.IdleAsync().ConfigureAwait(false);
    }

    private async Task RetryDueAsync()
    {
        if (!_isRead)
            await ReadAsync().ConfigureAwait(false);
        OwedErasure[] due;
        lock (_lock)
            due = [.. _owed.Values.Where(owed => owed.DueAt <= _time.GetUtcNow() && !IsAway(owed)).OrderBy(owed => owed.Tombstone.DeletedAt)];
        foreach (OwedErasure owed in due)
            await TryAgainAsync(owed).ConfigureAwait(false);
    }

    // A tier that is left alone would be asked in vain; the others were asked before.
    private bool IsAway(OwedErasure owed)
    {
        HashSet<string> pending = [.. owed.Tally.Tiers.Where(tier => tier.Outcome != ErasureOutcome.Removed).Select(tier => tier.Tier)];
        return pending.Count > 0 && _tiers!.Usage.Where(tier => pending.Contains(tier.Name)).All(tier => tier.IsDegraded);
    }

    private async Task TryAgainAsync(OwedErasure owed)
    {
        await _retrying.WaitAsync().ConfigureAwait(false);
        try
        {
            if (!owed.IsRecordGone && !await IsToBeErasedAsync(owed).ConfigureAwait(false))
                return;
            await Eraser.EraseColderAsync(owed.Tombstone.Root, owed.Tombstone.Paths, owed.Kept, owed.Tally).ConfigureAwait(false);
            await SettleAsync(owed).ConfigureAwait(false);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            Owe(owed); // The store is away.
        }
        finally
        {
            _retrying.Release();
        }
    }

    // Removes the record if it stands as it was to be deleted. False = another version stands: the deletion never was.
    private async Task<bool> IsToBeErasedAsync(OwedErasure owed)
    {
        Tombstone tombstone = owed.Tombstone;
        ConversationVersion? stored;
        try
        {
            stored = await _store.ReadVersionAsync(tombstone.Key).ConfigureAwait(false);
            if (stored == tombstone.Version && await _store.TryDeleteAsync(tombstone.Key, tombstone.Version).ConfigureAwait(false))
                stored = null;
        }
        catch (ConversationDamagedException)
        {
            await _store.TryDeleteDamagedAsync(tombstone.Key).ConfigureAwait(false);
            stored = null;
        }

        if (stored is null)
            Eraser.Unuse(tombstone.Key, tombstone.Root);
        if (stored?.Incarnation == tombstone.Version.Incarnation)
        {
            if (await TryForgetAsync(tombstone).ConfigureAwait(false))
            {
                lock (_lock)
                    _owed.Remove(tombstone.Id);
            }

            return false;
        }

        owed.IsRecordGone = true;
        return true;
    }

    private async Task ReadAsync()
    {
        try
        {
            await foreach (Tombstone tombstone in _store.Tombstones.ReadAllAsync().ConfigureAwait(false))
            {
                bool isUnderWay;
                lock (_lock)
                    isUnderWay = _underWay.Contains(tombstone.Id) || _owed.ContainsKey(tombstone.Id);
                if (isUnderWay)
                    continue;
                var owed = new OwedErasure(tombstone, NothingKept(tombstone)) { IsRecorded = true };
                if (tombstone.Owner == _owner)
                {
                    Owe(owed);
                    owed.DueAt = _time.GetUtcNow();
                }
                else
                {
                    await EraseForAnotherAsync(owed).ConfigureAwait(false);
                }
            }

            _isRead = true;
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            // The store is away; the next tick reads it.
        }
    }

    // What this process reaches goes too: its own tiers may have copies, and shared ones are everybody's. The tombstone stays for its owner.
    private async Task EraseForAnotherAsync(OwedErasure owed)
    {
        try
        {
            if ((await _store.ReadVersionAsync(owed.Tombstone.Key).ConfigureAwait(false))?.Incarnation == owed.Tombstone.Version.Incarnation)
                return;
        }
        catch (ConversationDamagedException)
        {
            return;
        }

        await Eraser.EraseColderAsync(owed.Tombstone.Root, owed.Tombstone.Paths, owed.Kept, owed.Tally).ConfigureAwait(false);
        if (_time.GetUtcNow() - owed.Tombstone.DeletedAt > GiveUpAfter)
            await TryForgetAsync(owed.Tombstone).ConfigureAwait(false);
    }
}
