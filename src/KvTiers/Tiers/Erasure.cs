using KvTiers.Prefix;

namespace KvTiers.Tiers;

/// <summary>Removes blocks for good: it follows them down, lane by lane, so that none slips by on its way from one to the next, and asks again until all are gone.</summary>
/// <remarks>A lane that does not answer, or answers with an error, keeps the blocks as a <see cref="Tombstone"/>, which is tried again when the lane may be asked.</remarks>
internal sealed class Erasure : IDisposable
{
    private static readonly TimeSpan FirstRetry = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LastRetry = TimeSpan.FromSeconds(30);

    private readonly KvCache _cache;
    private readonly TierLane[] _lanes;
    private readonly TimeProvider _time;
    private readonly ITimer _timer;
    private readonly Lock _lock = new();
    private readonly List<Pending> _pending = [];
    private TaskCompletionSource? _whole;
    private TimeSpan _delay = FirstRetry;

    public Erasure(KvCache cache, TierLane[] lanes, TimeProvider time)
    {
        _cache = cache;
        _lanes = lanes;
        _time = time;
        _timer = time.CreateTimer(_ => _ = RetryAsync(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>What is still to be erased.</summary>
    public IReadOnlyList<Tombstone> Outstanding
    {
        get
        {
            lock (_lock)
                return [.. _pending.Select(pending => new Tombstone(pending.Blocks, [.. pending.Lanes.Select(lane => lane.Name)]))];
        }
    }

    /// <summary>Ends when nothing is left to be erased.</summary>
    public Task WholeAsync(CancellationToken cancellationToken)
    {
        lock (_lock)
            return _pending.Count == 0 ? Task.CompletedTask : (_whole ??= new(TaskCreationOptions.RunContinuationsAsynchronously)).Task.WaitAsync(cancellationToken);
    }

    /// <summary>Takes up an erasure: asks for it once, and keeps what is left of it, instead of what was kept of the same blocks before.</summary>
    /// <remarks>Tiers that are not here any more are passed over.</remarks>
    public ValueTask<IReadOnlyList<TierRemoval>> ResumeAsync(Tombstone tombstone, Func<BlockHash, bool>? isUsed, CancellationToken cancellationToken) =>
        EraseAsync(new Pending([.. tombstone.Blocks], [.. _lanes.Where(lane => tombstone.Tiers.Contains(lane.Name))], isUsed, Superseded: false), cancellationToken);

    /// <summary>Removes blocks from every lane; those that are superseded only expire soon in a shared one.</summary>
    /// <param name="blocks">Blocks that the hot tier demotes no more.</param>
    /// <param name="superseded">Whether an edit cut them off, so that others who share a tier may still want them.</param>
    /// <param name="isUsed">Which of them somebody comes back to by the time a removal is tried again.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public ValueTask<IReadOnlyList<TierRemoval>> EraseAsync(BlockHash[] blocks, bool superseded, Func<BlockHash, bool>? isUsed, CancellationToken cancellationToken) =>
        EraseAsync(new Pending(blocks, _lanes, isUsed, superseded), cancellationToken);

    /// <summary>Ends the retries.</summary>
    public void Dispose() => _timer.Dispose();

    private ValueTask<TierRemoval> EraseFromAsync(TierLane lane, BlockHash[] blocks, bool superseded, CancellationToken cancellationToken) =>
        lane.EraseAsync(blocks, superseded && lane.Options.Shared ? _time.GetUtcNow() + lane.Options.SupersededTimeToLive : null, cancellationToken);

    private async ValueTask<IReadOnlyList<TierRemoval>> EraseAsync(Pending erasure, CancellationToken cancellationToken)
    {
        await _cache.EvictionsAsync().WaitAsync(cancellationToken).ConfigureAwait(false);
        BlockHash[] blocks = erasure.Unused();
        var removals = new TierRemoval[erasure.Lanes.Length];
        for (int i = 0; i < removals.Length; i++)
            removals[i] = await EraseFromAsync(erasure.Lanes[i], blocks, erasure.Superseded, cancellationToken).ConfigureAwait(false);
        Settle(erasure, [.. erasure.Lanes.Where((_, i) => removals[i].State != ErasureState.Removed)]);
        return removals;
    }

    // What was kept of the same blocks is answered for by now: whoever asks again and again for one thing leaves one tombstone.
    private void Settle(Pending erasure, TierLane[] left)
    {
        lock (_lock)
        {
            if (_pending.Count > 0)
            {
                HashSet<BlockHash> blocks = [.. erasure.Blocks];
                for (int i = _pending.Count - 1; i >= 0; i--)
                {
                    if ((erasure.Superseded && !_pending[i].Superseded) || !blocks.IsSupersetOf(_pending[i].Blocks))
                        continue;
                    TierLane[] others = [.. _pending[i].Lanes.Except(erasure.Lanes)];
                    if (others.Length > 0)
                        _pending[i] = _pending[i] with { Lanes = others };
                    else
                        _pending.RemoveAt(i);
                }
            }

            if (left.Length > 0 && erasure.Blocks.Length > 0)
            {
                if (_pending.Count == 0)
                    _timer.Change(_delay = FirstRetry, Timeout.InfiniteTimeSpan);
                _pending.Add(erasure with { Lanes = left });
            }

            EndIfWhole();
        }
    }

    // Under the lock.
    private bool EndIfWhole()
    {
        if (_pending.Count > 0)
            return false;
        _whole?.SetResult();
        _whole = null;
        return true;
    }

    private async Task RetryAsync()
    {
        Pending[] due;
        lock (_lock)
            due = [.. _pending];
        foreach (Pending pending in due)
        {
            BlockHash[] blocks = pending.Unused();
            var left = new List<TierLane>();
            foreach (TierLane lane in pending.Lanes)
            {
                if (!lane.MayAsk || (await EraseFromAsync(lane, blocks, pending.Superseded, CancellationToken.None).ConfigureAwait(false)).State != ErasureState.Removed)
                    left.Add(lane);
            }

            lock (_lock)
            {
                // It may have been settled meanwhile by somebody who asked.
                if (_pending.Remove(pending) && left.Count > 0)
                    _pending.Add(pending with { Lanes = [.. left] });
            }
        }

        lock (_lock)
        {
            if (EndIfWhole())
                return;
            _delay = _delay * 2 < LastRetry ? _delay * 2 : LastRetry;
            _timer.Change(_delay, Timeout.InfiniteTimeSpan);
        }
    }

    private sealed record Pending(BlockHash[] Blocks, TierLane[] Lanes, Func<BlockHash, bool>? IsUsed, bool Superseded)
    {
        public BlockHash[] Unused() => IsUsed is { } isUsed ? [.. Blocks.Where(block => !isUsed(block))] : Blocks;
    }
}
