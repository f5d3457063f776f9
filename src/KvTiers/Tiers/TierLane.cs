using KvTiers.Prefix;

namespace KvTiers.Tiers;

/// <summary>One tier and everything that is its own: its store, its health, its speed, the blocks that are on their way out of it.</summary>
/// <remarks>
/// Nothing that a store does passes a lane: an exception is a counted miss, and a call that takes longer than it may is left to end by itself while the
/// lane says no at once, until it is well (<see cref="LaneHealth"/>). Two kinds: <see cref="InPlaceLane"/> and <see cref="QueuedLane"/>. Thread-safe.
/// </remarks>
internal abstract partial class TierLane : IAsyncDisposable
{
    private const int MaxBlocksAtOnce = 64;

    // What a process at its end, or whoever makes a tier smaller, waits for the tier below.
    private static readonly TimeSpan Leisure = TimeSpan.FromSeconds(10);

    /// <summary>The budget of whoever makes this thread hand a block to a store: what the store evicts for it is handed on within the same.</summary>
    [ThreadStatic]
    protected static StallBudget? Budget;

    private long _promotedTokens;
    private long _declined;

    protected TierLane(TierOptions options, BlockTier tier, TimeProvider time)
    {
        Options = options;
        Tier = tier;
        Time = time;
        Health = new LaneHealth(time, ProbeAsync);
    }

    public string Name => Options.Name;

    public TierOptions Options { get; }

    public BlockTier Tier { get; }

    public LaneHealth Health { get; }

    /// <summary>Whether asking it is not known to be in vain: it keeps pace, and its store is not left alone.</summary>
    public bool MayAsk => Health.MayAsk && !Tier.Usage.IsDegraded;

    /// <summary>How fast it gives blocks.</summary>
    public abstract TransferRate Rate { get; }

    /// <summary>Whether blocks are taken where they lie, on the caller's thread.</summary>
    public abstract bool IsInPlace { get; }

    /// <summary>The tier's contents and counters.</summary>
    public virtual TierUsage Usage
    {
        get
        {
            TierUsage usage = Tier.Usage;
            return usage with
            {
                IsDegraded = usage.IsDegraded || !Health.MayOffer,
                DroppedBlocks = Interlocked.Read(ref _declined),
                PromotedTokens = Interlocked.Read(ref _promotedTokens),
            };
        }
    }

    protected TimeProvider Time { get; }

    protected int BlockBytes => Tier.Format.Codec.Shape.BytesPerBlock;

    /// <summary>Takes a copy of a block, if that holds the caller up no longer than the budget.</summary>
    /// <returns>False when it does not.</returns>
    public bool Offer(BlockHash hash, ReadOnlySpan<byte> block, in BlockAttributes attributes, StallBudget budget)
    {
        BlockAttributes own = attributes;
        if (Options.TimeToLive is { } timeToLive)
        {
            DateTimeOffset expires = Time.GetUtcNow() + timeToLive;
            own = own with { Expires = own.Expires < expires ? own.Expires : expires };
        }

        return Take(hash, block, own, budget);
    }

    /// <summary>How many of the leading blocks are held that no longer wait; 0 when the lane does not answer.</summary>
    public async ValueTask<int> CountStoredAsync(ReadOnlyMemory<BlockHash> chain, TimeSpan deadline, CancellationToken cancellationToken) =>
        await AskAsync(() => Tier.CountLeadingAsync(chain, cancellationToken), deadline, cancellationToken).ConfigureAwait(false) ?? 0;

    /// <summary>How many of the leading blocks wait to be written, which costs no asking.</summary>
    public virtual int CountQueued(ReadOnlySpan<BlockHash> chain) => 0;

    /// <summary>The last of these blocks that the lane holds; −1 for none, and when it does not answer.</summary>
    public async ValueTask<int> FindLastAsync(ReadOnlyMemory<BlockHash> blocks, TimeSpan deadline, CancellationToken cancellationToken)
    {
        int queued = blocks.Length - 1;
        while (queued >= 0 && CountQueued(blocks.Span.Slice(queued, 1)) == 0)
            queued--;
        if (queued == blocks.Length - 1)
            return queued;
        async ValueTask<int> LastStoredAsync()
        {
            int last = blocks.Length - 1;
            while (last > queued && await Tier.CountLeadingAsync(blocks.Slice(last, 1), cancellationToken).ConfigureAwait(false) == 0)
                last--;
            return last;
        }

        return await AskAsync(LastStoredAsync, deadline, cancellationToken).ConfigureAwait(false) ?? queued;
    }

    /// <summary>Reads blocks side by side.</summary>
    /// <param name="hashes">The blocks.</param>
    /// <param name="destination">Where each goes. It stays in use until <see cref="LaneRead.Late"/> ends.</param>
    /// <param name="deadline">How long the caller waits.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public async ValueTask<LaneRead> ReadAsync(
        ReadOnlyMemory<BlockHash> hashes, Func<int, Memory<byte>> destination, TimeSpan deadline, CancellationToken cancellationToken)
    {
        var reads = new Task<BlockAttributes?>[hashes.Length];
        for (int i = 0; i < reads.Length; i++)
            reads[i] = ReadOneAsync(hashes.Span[i], destination(i), cancellationToken);
        Task all = Task.WhenAll(reads);
        try
        {
            if (!all.IsCompleted)
                await all.WaitAsync(deadline, Time, cancellationToken).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            NoteLate(hashes.Span[Array.FindIndex(reads, read => !read.IsCompleted) is >= 0 and int first ? first : 0]);
        }
        catch (OperationCanceledException)
        {
            // What has arrived counts; the caller tells whether it goes on.
        }

        BlockAttributes[] arrived = [.. reads.TakeWhile(read => read.IsCompletedSuccessfully && read.Result is not null).Select(read => read.Result!.Value)];
        return new LaneRead(arrived, all.IsCompleted ? null : all);
    }

    /// <summary>Forgets blocks that have been promoted, to make room.</summary>
    public virtual async ValueTask ForgetAsync(ReadOnlyMemory<BlockHash> hashes, CancellationToken cancellationToken) =>
        await AskAsync(() => Tier.ForgetAsync(hashes, cancellationToken), Options.Deadline, cancellationToken).ConfigureAwait(false);

    /// <summary>Removes blocks, wherever in the lane they are, or lets them expire; and returns when none is on its way out of it any more.</summary>
    /// <param name="hashes">Blocks that nobody offers any more.</param>
    /// <param name="expires">When they expire; null for at once.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public async ValueTask<TierRemoval> EraseAsync(BlockHash[] hashes, DateTimeOffset? expires, CancellationToken cancellationToken)
    {
        var outcome = new RemovalOutcome();
        HashSet<BlockHash> queued = await CancelWritesAsync(hashes, outcome, cancellationToken).ConfigureAwait(false);
        BlockHash[] stored = queued.Count == 0 ? hashes : [.. hashes.Where(hash => !queued.Contains(hash))];
        long count = await outcome.OfAsync(AskAsync(
            () => expires is { } at ? Tier.ExpireAsync(stored, at, cancellationToken) : Tier.RemoveAsync(stored, cancellationToken), Options.Deadline, cancellationToken)).ConfigureAwait(false);

        // An older copy may be there beside the one that waited. It is the same block.
        if (queued.Count > 0)
            await outcome.OfAsync(AskAsync(() => Tier.RemoveAsync(queued.ToArray(), cancellationToken), Options.Deadline, cancellationToken)).ConfigureAwait(false);
        await PassagesAsync(hashes, cancellationToken).ConfigureAwait(false);
        int blocks = (int)count + queued.Count;
        return new TierRemoval(Name, blocks, blocks * (long)Tier.Format.RecordBytes, outcome.State);
    }

    /// <summary>Bytes that a tenant's blocks take up; 0 when the lane does not answer.</summary>
    public async ValueTask<long> BytesOfAsync(int tenant) =>
        await AskAsync(() => Tier.BytesOfAsync(tenant, CancellationToken.None), Options.Deadline, CancellationToken.None).ConfigureAwait(false) ?? 0;

    /// <summary>Forgets blocks of a tenant until so many bytes are free; gives the bytes freed.</summary>
    public async ValueTask<long> EvictAsync(int tenant, long byteCount) =>
        await AskAsync(() => Tier.EvictAsync(tenant, byteCount, CancellationToken.None), Options.Deadline, CancellationToken.None).ConfigureAwait(false) ?? 0;

    /// <summary>Changes the capacity; whoever asks for it waits for as long as it takes.</summary>
    public async ValueTask ResizeAsync(long capacityBytes, CancellationToken cancellationToken) =>
        await BeginAsync(() => AtLeisure(() => Tier.ResizeAsync(capacityBytes, cancellationToken))).ConfigureAwait(false);

    /// <summary>Forgets every block, those that wait too.</summary>
    public virtual async ValueTask ClearAsync(CancellationToken cancellationToken) => await Tier.ClearAsync(cancellationToken).ConfigureAwait(false);

    /// <summary>Hands on what the store would lose at the end of the process; where nobody takes it, it stays.</summary>
    public async ValueTask FlushAsync(CancellationToken cancellationToken)
    {
        if (_evictedTo is not null)
            await AskAsync(() => AtLeisure(() => Tier.FlushAsync(cancellationToken)), Leisure, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Returns when everything offered so far is written, or given up.</summary>
    public virtual Task DrainAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>Ends when the lane can take another block without waiting, and gives how many.</summary>
    public virtual ValueTask<int> RoomAsync(CancellationToken cancellationToken) => ValueTask.FromResult(int.MaxValue);

    public void CountPromoted(int tokens) => Interlocked.Add(ref _promotedTokens, tokens);

    /// <summary>Blocks to read at once; so many are free in the hot tier.</summary>
    public int BlocksAtOnce(int freeBlocks) => ReadsAhead(Options.ReadConcurrency, Math.Clamp(freeBlocks, Options.ReadConcurrency, Math.Max(Options.ReadConcurrency, MaxBlocksAtOnce)));

    /// <summary>Closes the store. One that hangs is not waited for.</summary>
    public virtual async ValueTask DisposeAsync()
    {
        Health.Dispose();

        // What goes wrong is the store's last fault, and nobody is there to be told.
        await Task.Run(() => Tier.DisposeAsync().AsTask()).WaitAsync(Leisure, Time).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    protected abstract bool Take(BlockHash hash, ReadOnlySpan<byte> block, in BlockAttributes attributes, StallBudget budget);

    protected abstract Task<BlockAttributes?> ReadOneAsync(BlockHash hash, Memory<byte> block, CancellationToken cancellationToken);

    /// <summary>Begins a call of the store where it does no harm that it may hold its thread.</summary>
    protected abstract Task<T> BeginAsync<T>(Func<ValueTask<T>> call);

    /// <summary>Whether so many writes hang that no other is begun.</summary>
    protected virtual bool IsStuck => false;

    protected abstract int ReadsAhead(int atLeast, int atMost);

    protected abstract ValueTask<HashSet<BlockHash>> CancelWritesAsync(BlockHash[] hashes, RemovalOutcome outcome, CancellationToken cancellationToken);

    protected void Decline() => Interlocked.Increment(ref _declined);

    /// <summary>What a call of the store says; null when the lane is left alone, or is from now on because the call takes too long.</summary>
    protected async ValueTask<T?> AskAsync<T>(Func<ValueTask<T>> call, TimeSpan deadline, CancellationToken cancellationToken)
        where T : struct
    {
        if (!Health.MayAsk)
            return null;
        Task<T> asked = BeginAsync(call);
        try
        {
            return asked.IsCompleted ? await asked.ConfigureAwait(false) : await asked.WaitAsync(deadline, Time, cancellationToken).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            NoteLate(_probed);
            return null;
        }
    }

    // What a store evicts meanwhile is handed on with a budget of its own.
    private ValueTask<T> AtLeisure<T>(Func<ValueTask<T>> call)
    {
        Budget = new StallBudget(Time).Begin(Leisure);
        try
        {
            return call();
        }
        finally
        {
            Budget = null;
        }
    }
}
