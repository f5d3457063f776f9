using System.Diagnostics.Metrics;
using KvTiers.Blocks;
using KvTiers.Prefix;

namespace KvTiers.Tiers;

/// <summary>The cache as a whole: the hot tier and the colder ones below it, each a lane of its own, and what moves blocks between them.</summary>
/// <remarks>
/// <para>Down: an evicted block goes to the first tier that is written on demotion, and what that one evicts to the next; tiers written on seal or on second
/// use get their copy then. Up: <see cref="AcquireAsync"/> fills a lease with what the hot tier and the colder ones hold of a prompt. Out:
/// <see cref="SupersedeAsync"/> and <see cref="EraseAsync"/> follow blocks through all of it.</para>
/// <para>Thread-safe. A tier that is slow, wrong or gone costs recomputation, never an answer.</para>
/// </remarks>
public sealed class TieredCache : IAsyncDisposable
{
    private readonly TierLane[] _lanes;
    private readonly int[] _losses;
    private readonly Demotion _demotion;
    private readonly Promotion _promotion;
    private readonly Erasure _erasure;
    private readonly TenantBudget? _budget;
    private readonly TierInstruments _instruments;
    private long _foundBlocks;
    private long _plannedBlocks;
    private long _loadedBlocks;

    private TieredCache(BlockShape shape, TieredCacheOptions options, IEnumerable<BlockTier> tiers, TimeProvider time)
    {
        _lanes = [.. options.Tiers.Zip(tiers, (tier, blocks) => Lane(tier, blocks, time))];
        _losses = [.. _lanes.Select(lane => lane.Tier.Loss).Where(loss => loss != 0).Distinct().Order()];
        _demotion = new Demotion(_lanes, Gained);
        Cache = new KvCache(shape, options.Hot, time, _lanes.Length == 0 && !options.HasBudgets ? null : _demotion);
        _promotion = new Promotion(Cache, _lanes, options.Promotion, Planner, time);
        _erasure = new Erasure(Cache, _lanes, time);
        _budget = options.HasBudgets ? new TenantBudget(options, Cache, _lanes) : null;
        if (options.Watermarks is { } marks)
            _demotion.StartAhead(Cache, marks);
        _instruments = new TierInstruments(this);
    }

    /// <summary>The hot tier: leases are rematched and truncated, and paths pinned and ranked there.</summary>
    public KvCache Cache { get; }

    /// <summary>The colder tiers' names, hottest first.</summary>
    public IReadOnlyList<string> Names => [.. _lanes.Select(lane => lane.Name)];

    /// <summary>What a block may have lost in any tier, ascending: part of every root. Empty when all are lossless.</summary>
    public ReadOnlySpan<int> Losses => _losses;

    /// <summary>Each colder tier's contents and counters, hottest first.</summary>
    public IReadOnlyList<TierUsage> Usage => [.. _lanes.Select(lane => lane.Usage)];

    /// <summary>The blocks of all promotions so far.</summary>
    public PromotionTotals Promotions =>
        new(Interlocked.Read(ref _foundBlocks), Interlocked.Read(ref _plannedBlocks), Interlocked.Read(ref _loadedBlocks));

    /// <summary>Bytes evicted from all tiers because a tenant was over its budget.</summary>
    public long BudgetEvictedBytes => _budget?.EvictedBytes ?? 0;

    /// <summary>What is still to be erased, because a tier did not answer. It is tried again until nothing is left.</summary>
    public IReadOnlyList<Tombstone> Tombstones => _erasure.Outstanding;

    internal PromotionPlanner Planner { get; } = new();

    internal Meter Meter => _instruments.Meter;

    /// <summary>Maps the hot tier's memory, and opens the colder ones.</summary>
    /// <param name="shape">The shape of a block.</param>
    /// <param name="options">Sizes, and how blocks move.</param>
    /// <param name="time">The clock; the system's by default.</param>
    /// <exception cref="ArgumentException">An option is out of range; an encoding does not fit the shape; or what a store's opening throws.</exception>
    public static async Task<TieredCache> OpenAsync(BlockShape shape, TieredCacheOptions options, TimeProvider? time = null)
    {
        ArgumentNullException.ThrowIfNull(shape);
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        time ??= TimeProvider.System;
        var tiers = new List<BlockTier>();
        try
        {
            foreach (TierOptions tier in options.Tiers)
            {
                var format = new BlockRecord(shape, tier.Encoding, tier.Protection);
                tiers.Add(new BlockTier(tier.Name, format, await tier.Open(format, time).ConfigureAwait(false), time));
            }

            return new TieredCache(shape, options, tiers, time);
        }
        catch
        {
            foreach (BlockTier tier in tiers)
                await tier.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>The namespace of a model's and a tenant's blocks, as these tiers leave them.</summary>
    /// <param name="modelFingerprint">Bytes that differ whenever the model would compute other bits.</param>
    /// <param name="tenantSalt">The tenant's secret; empty for a single tenant.</param>
    public BlockHash RootFor(ReadOnlySpan<byte> modelFingerprint, ReadOnlySpan<byte> tenantSalt = default) =>
        BlockHash.LossyRoot(modelFingerprint, Cache.Shape, tenantSalt, _losses);

    /// <summary>Says whose a namespace is, so that a tenant with several has one budget for all. The 1,024 that were used last count together.</summary>
    /// <param name="root">The namespace.</param>
    /// <param name="tenant">The tenant's name, for <see cref="TieredCacheOptions.TenantBudgetOf"/>.</param>
    public void Assign(BlockHash root, string tenant) => _budget?.Assign(root.TenantNumber, tenant);

    /// <summary>Takes a lease on what is held of a sequence: what is hot, and what was worth loading from the colder tiers.</summary>
    /// <param name="root">The namespace, <see cref="RootFor"/>.</param>
    /// <param name="tokens">What the sequence starts with: a prompt without its last token, which is always computed.</param>
    /// <param name="cancellationToken">Ends the loading.</param>
    public async ValueTask<BlockLease> AcquireAsync(BlockHash root, ReadOnlyMemory<int> tokens, CancellationToken cancellationToken = default)
    {
        BlockLease lease = Cache.Acquire(root, tokens.Span);
        try
        {
            await PromoteAsync(lease, tokens, cancellationToken).ConfigureAwait(false);
            return lease;
        }
        catch
        {
            lease.Dispose();
            throw;
        }
    }

    /// <summary>Brings the blocks that follow a lease's hot tokens from the colder tiers, as many as are worth it.</summary>
    /// <param name="lease">A lease as <see cref="KvCache.Acquire"/> returned it; nobody else may use it meanwhile.</param>
    /// <param name="tokens">The whole sequence, as for <see cref="KvCache.Acquire"/>.</param>
    /// <param name="cancellationToken">Ends the loading; what has arrived stays in the lease.</param>
    /// <returns>What arrived. The lease's tokens have grown by as much, and by what others sealed meanwhile.</returns>
    public async ValueTask<PromotionResult> PromoteAsync(BlockLease lease, ReadOnlyMemory<int> tokens, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(lease);
        PromotionResult result = await _promotion.PromoteAsync(lease, tokens, cancellationToken).ConfigureAwait(false);
        Gained(lease.Root.TenantNumber);
        Interlocked.Add(ref _foundBlocks, result.FoundBlocks);
        Interlocked.Add(ref _plannedBlocks, result.PlannedBlocks);
        Interlocked.Add(ref _loadedBlocks, result.LoadedBlocks);
        return result;
    }

    /// <summary>Tells how long a step of so many tokens, prompt tokens among them, took: loading is compared with that.</summary>
    public void NotePrefill(int tokenCount, TimeSpan elapsed) => Planner.AddPrefill(tokenCount, elapsed);

    /// <summary>Tells every tier that an edit cut a path. See <see cref="KvCache.Supersede"/>.</summary>
    /// <remarks>Hot blocks stay until somebody needs their room; copies in tiers of this process alone go now; in shared tiers they expire soon.</remarks>
    /// <param name="path">The path as it was before the edit.</param>
    /// <param name="keptTokenCount">Leading tokens that the edit left alone.</param>
    /// <param name="isUsed">Which blocks of the path somebody comes back to, though nothing in the hot tier tells of it; null for none.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>What became of the hot blocks, and the blocks removed or left to expire in each tier.</returns>
    public async ValueTask<(SupersedeResult Hot, IReadOnlyList<TierRemoval> Tiers)> SupersedeAsync(
        BlockPath path, int keptTokenCount, Func<BlockHash, bool>? isUsed, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(path);
        SupersedeResult hot = Cache.Supersede(path.Root, path.Tokens, keptTokenCount);
        BlockHash[] cut = Blocks(path, (keptTokenCount / path.BlockSize) + hot.SharedBlocks, isUsed);
        return (hot, await _erasure.EraseAsync(cut, superseded: true, isUsed, cancellationToken).ConfigureAwait(false));
    }

    /// <summary>Erases a path from every colder tier, from its block number <paramref name="keptBlocks"/> on, after <see cref="KvCache.Erase"/>.</summary>
    /// <param name="path">The path.</param>
    /// <param name="keptBlocks">Leading blocks that others still use.</param>
    /// <param name="isUsed">Which blocks of the path somebody comes back to, though nothing in the hot tier tells of it; null for none.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public ValueTask<IReadOnlyList<TierRemoval>> EraseAsync(BlockPath path, int keptBlocks, Func<BlockHash, bool>? isUsed, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(path);
        ArgumentOutOfRangeException.ThrowIfNegative(keptBlocks);
        return _erasure.EraseAsync(Blocks(path, keptBlocks, isUsed), superseded: false, isUsed, cancellationToken);
    }

    /// <summary>The tombstone of a path, to be written down before it is erased.</summary>
    /// <param name="path">The path.</param>
    /// <param name="keptBlocks">Leading blocks that others still use.</param>
    public Tombstone TombstoneOf(BlockPath path, int keptBlocks)
    {
        ArgumentNullException.ThrowIfNull(path);
        return new Tombstone(Blocks(path, keptBlocks, isUsed: null), Names);
    }

    /// <summary>Takes up an erasure that was written down, by this process or an earlier one, and is not known to be whole.</summary>
    /// <param name="tombstone">What was written down.</param>
    /// <param name="isUsed">Which of the blocks somebody comes back to; null for none.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>What each of its tiers says, asked once. What is left then is in <see cref="Tombstones"/>, once, however often it is taken up.</returns>
    public ValueTask<IReadOnlyList<TierRemoval>> ResumeAsync(
        Tombstone tombstone, Func<BlockHash, bool>? isUsed = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(tombstone);
        return _erasure.ResumeAsync(tombstone, isUsed, cancellationToken);
    }

    /// <summary>Ends when every erasure is whole: no tier holds a block of it.</summary>
    public Task ErasedAsync(CancellationToken cancellationToken) => _erasure.WholeAsync(cancellationToken);

    /// <summary>Returns when every block handed over so far is written or given up, and every tenant within its budget.</summary>
    public async Task DrainAsync(CancellationToken cancellationToken)
    {
        foreach (TierLane lane in _lanes)
            await lane.DrainAsync(cancellationToken).ConfigureAwait(false);
        if (_budget is not null)
            await _budget.SettleAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Hands everything down that the tiers in memory and the hot tier would lose at the end of the process.</summary>
    /// <remarks>Blocks that are leased or pinned stay behind, and so does what the last tier has no room for.</remarks>
    public async Task FlushAsync(CancellationToken cancellationToken)
    {
        int evicted = 1;
        while (evicted > 0)
        {
            int room = await _demotion.RoomAsync(cancellationToken).ConfigureAwait(false);
            evicted = Cache.EvictAhead(int.MaxValue, Math.Min(64, room));
        }

        foreach (TierLane lane in _lanes)
            await lane.FlushAsync(cancellationToken).ConfigureAwait(false);
        await DrainAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Changes a tier's capacity while it serves. Shrinking evicts in the tier's order; what a tier in memory evicts goes to the tier below.</summary>
    /// <param name="tier">One of <see cref="Names"/>.</param>
    /// <param name="capacityBytes">The wanted capacity, at least one block of the tier.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>The tier afterwards; its capacity is more than wanted while blocks are being read.</returns>
    /// <exception cref="ArgumentException">There is no such tier, or the capacity is less than a block.</exception>
    public async ValueTask<TierUsage> ResizeAsync(string tier, long capacityBytes, CancellationToken cancellationToken)
    {
        TierLane lane = LaneOf(tier);
        ArgumentOutOfRangeException.ThrowIfLessThan(capacityBytes, lane.Tier.Format.RecordBytes);
        await lane.ResizeAsync(capacityBytes, cancellationToken).ConfigureAwait(false);
        return lane.Usage;
    }

    /// <summary>Forgets every block of a tier, those that wait to be written too. Nothing is handed on.</summary>
    /// <param name="tier">One of <see cref="Names"/>. A shared tier is cleared for all who share it.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>The tier afterwards.</returns>
    /// <exception cref="ArgumentException">There is no such tier.</exception>
    public async ValueTask<TierUsage> ClearAsync(string tier, CancellationToken cancellationToken)
    {
        TierLane lane = LaneOf(tier);
        await lane.ClearAsync(cancellationToken).ConfigureAwait(false);
        return lane.Usage;
    }

    /// <summary>Writes what waits to be written, closes the tiers, and unmaps the hot one's memory. No lease may be in use.</summary>
    public async ValueTask DisposeAsync()
    {
        _instruments.Dispose();
        _erasure.Dispose();
        await _demotion.DisposeAsync().ConfigureAwait(false);
        if (_budget is not null)
            await _budget.DisposeAsync().ConfigureAwait(false);
        foreach (TierLane lane in _lanes)
            await lane.DisposeAsync().ConfigureAwait(false);
        Cache.Dispose();
    }

    internal TransferRate RateOf(string tier) => LaneOf(tier).Rate;

    private TierLane Lane(TierOptions options, BlockTier tier, TimeProvider time) =>
        options.InPlace ?? tier.Store.IsInPlace ? new InPlaceLane(options, tier, time, Gained) : new QueuedLane(options, tier, time, Gained);

    private void Gained(int tenant) => _budget?.Wake(tenant);

    private static BlockHash[] Blocks(BlockPath path, int firstBlock, Func<BlockHash, bool>? isUsed)
    {
        IEnumerable<BlockHash> blocks = path.HashesWithParts(firstBlock);
        return [.. isUsed is null ? blocks : blocks.Where(block => !isUsed(block))];
    }

    private TierLane LaneOf(string name) =>
        Array.Find(_lanes, lane => lane.Name == name) ?? throw new ArgumentException($"There is no tier '{name}'; there are {string.Join(", ", Names)}.", nameof(name));
}
