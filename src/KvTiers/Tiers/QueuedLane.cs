using KvTiers.Prefix;

namespace KvTiers.Tiers;

/// <summary>A lane over a store that takes its time: blocks are copied into a queue and written in the background, and can be read while they wait.</summary>
internal sealed class QueuedLane : TierLane
{
    private static readonly TimeSpan Moment = TimeSpan.FromMilliseconds(10);

    private readonly WriteQueue _queue;

    public QueuedLane(TierOptions options, BlockTier tier, TimeProvider time, Action<int> written)
        : base(options, tier, time) => _queue = new WriteQueue(tier, options, Health, time, written);

    /// <inheritdoc/>
    /// <remarks>The first guess is a good one, so that the tier is asked and loaded from, and measured.</remarks>
    public override TransferRate Rate { get; } = new(latencySeconds: 1e-4, bytesPerSecond: 2e9);

    /// <inheritdoc/>
    public override TierUsage Usage => base.Usage with { QueuedBlocks = _queue.Pending, DroppedBlocks = _queue.Dropped };

    /// <inheritdoc/>
    protected override bool IsStuck => _queue.IsStuck;

    /// <inheritdoc/>
    public override int CountQueued(ReadOnlySpan<BlockHash> chain)
    {
        int count = 0;
        while (count < chain.Length && _queue.Holds(chain[count]))
            count++;
        return count;
    }

    /// <inheritdoc/>
    public override async ValueTask ForgetAsync(ReadOnlyMemory<BlockHash> hashes, CancellationToken cancellationToken)
    {
        foreach (BlockHash hash in hashes.Span)
            _ = _queue.Forget(hash);
        await base.ForgetAsync(hashes, cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public override async ValueTask ClearAsync(CancellationToken cancellationToken)
    {
        _queue.ForgetAll();
        await base.ClearAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public override Task DrainAsync(CancellationToken cancellationToken) => _queue.DrainAsync(cancellationToken);

    /// <inheritdoc/>
    public override async ValueTask<int> RoomAsync(CancellationToken cancellationToken)
    {
        await _queue.RoomAsync(cancellationToken).ConfigureAwait(false);
        while (Health is { MayAsk: true, MayOffer: false })
            await Task.Delay(Moment, Time, cancellationToken).ConfigureAwait(false);
        return Health.MayOffer ? Math.Max(1, _queue.Room) : 0;
    }

    /// <inheritdoc/>
    public override async ValueTask DisposeAsync()
    {
        await _queue.DisposeAsync().ConfigureAwait(false);
        await base.DisposeAsync().ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public override bool IsInPlace => false;

    /// <inheritdoc/>
    protected override bool Take(BlockHash hash, ReadOnlySpan<byte> block, in BlockAttributes attributes, StallBudget budget) =>
        _queue.Offer(hash, block, attributes, budget);

    /// <inheritdoc/>
    protected override Task<BlockAttributes?> ReadOneAsync(BlockHash hash, Memory<byte> block, CancellationToken cancellationToken) =>
        _queue.TryRead(hash, block.Span) is { } waiting
            ? Task.FromResult<BlockAttributes?>(waiting)
            : Task.Run(() => Tier.ReadAsync(hash, block, cancellationToken).AsTask(), cancellationToken);

    /// <inheritdoc/>
    protected override Task<T> BeginAsync<T>(Func<ValueTask<T>> call) => Task.Run(() => call().AsTask());

    /// <inheritdoc/>
    protected override int ReadsAhead(int atLeast, int atMost) => Rate.TransfersAtOnce(BlockBytes, atLeast, atMost);

    /// <inheritdoc/>
    protected override async ValueTask<HashSet<BlockHash>> CancelWritesAsync(BlockHash[] hashes, RemovalOutcome outcome, CancellationToken cancellationToken)
    {
        var cancelled = new HashSet<BlockHash>();
        var ends = new List<Task<TierMiss?>>();
        foreach (BlockHash hash in hashes)
        {
            if (_queue.Forget(hash) is not { } end)
                continue;
            cancelled.Add(hash);
            ends.Add(end);
        }

        try
        {
            foreach (TierMiss? fault in await Task.WhenAll(ends).WaitAsync(Options.Deadline, Time, cancellationToken).ConfigureAwait(false))
                outcome.Note(fault);
        }
        catch (TimeoutException)
        {
            // What is left to write is removed when it is written, and asked for again.
            outcome.Note(TierMiss.Deadline);
        }

        return cancelled;
    }
}
