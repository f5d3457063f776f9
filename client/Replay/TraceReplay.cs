using KvTiers.Blocks;
using KvTiers.Prefix;
using KvTiers.Tiers;

namespace KvTiers.Cli.Replay;

/// <summary>Replays a trace through a cache: its radix tree, its eviction order and its stack of tiers, with blocks that hold next to nothing.</summary>
/// <remarks>
/// A block of the trace is a token of a cache whose blocks are one token long. A request hits its leading resident blocks; the others are added, and
/// all become the most recently used. A hit in a colder tier brings the block back to the hot one and leaves no copy behind. Of a request longer than
/// the hot tier only what fits there is held.
/// </remarks>
internal static class TraceReplay
{
    /// <summary>Tiers that can be stacked: the hot one, and the colder ones under it.</summary>
    public const int MostTiers = 9;

    // The smallest block there is; nothing is ever written into it.
    private static readonly BlockLayout MetadataOnly = new(Layers: 1, KvHeads: 1, HeadDim: 1, KvFormat.BF16, BlockSize: 1);

    /// <summary>Counts the blocks that are found in each tier.</summary>
    /// <param name="trace">The requests.</param>
    /// <param name="capacities">
    /// Blocks of each tier, the hot one first, 1 to <see cref="MostTiers"/> of them, each at least 1; <see langword="null"/> = as many as there are.
    /// </param>
    /// <param name="onRequest">Told after each request.</param>
    /// <param name="cancellationToken">Ends the replay.</param>
    /// <returns>One entry for each tier.</returns>
    public static async Task<IReadOnlyList<CapacityHits>> CountHitsAsync(
        Trace trace, IReadOnlyList<int?> capacities, Action onRequest, CancellationToken cancellationToken)
    {
        // More room than there are blocks changes nothing but the memory it takes.
        int[] blocks = [.. capacities.Select(capacity => Math.Min(capacity ?? trace.DistinctBlockCount, trace.DistinctBlockCount))];
        int[] hits = new int[blocks.Length];
        await using TieredCache tiers = await OpenAsync(blocks).ConfigureAwait(false);
        KvCache cache = tiers.Cache;
        BlockHash root = tiers.RootFor([]);
        foreach (int[] request in trace.Requests)
        {
            cancellationToken.ThrowIfCancellationRequested();
            ReadOnlyMemory<int> held = request.AsMemory(0, Math.Min(request.Length, blocks[0]));
            using BlockLease lease = cache.Acquire(root, held.Span);
            hits[0] += lease.CachedTokenCount;
            PromotionResult promoted = await tiers.PromoteAsync(lease, held, cancellationToken).ConfigureAwait(false);
            for (int tier = 1; tier < hits.Length; tier++)
                hits[tier] += promoted.TokensByTier[tier - 1];

            ReadOnlyMemory<int> missing = held[lease.TokenCount..];
            if (!lease.TryReserve(missing.Length))
                throw new InvalidOperationException($"No room for {missing.Length} blocks, although nothing else is in use.");
            lease.Append(missing.Span);
            onRequest();
        }

        return [.. capacities.Zip(hits, (capacity, count) => new CapacityHits(capacity, count))];
    }

    // Nothing happens in the background and every block found is loaded, so that a replay always counts the same.
    private static Task<TieredCache> OpenAsync(int[] blocks) => TieredCache.OpenAsync(MetadataOnly, new TieredCacheOptions
    {
        Hot = new KvCacheOptions { HotBlocks = blocks[0], Prefault = false },
        Tiers = [.. blocks.Skip(1).Select((capacity, i) => Tier($"tier {i + 2}", capacity))],
        Promotion = PromotionPolicy.Always,
    });

    private static TierOptions Tier(string name, int blocks) => new()
    {
        Name = name,
        Open = (record, time) => TierOptions.Ram((long)blocks * record.RecordBytes).Open(record, time),
        ReadConcurrency = 64,
    };
}
