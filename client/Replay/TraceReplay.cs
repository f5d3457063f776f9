using KvTiers.Blocks;
using KvTiers.Prefix;

namespace KvTiers.Cli.Replay;

/// <summary>Replays a trace through a cache: its radix tree and eviction order, with blocks that hold next to nothing.</summary>
/// <remarks>
/// A block of the trace is a token of a cache whose blocks are one token long. A request hits its leading resident blocks; the others are added, and
/// all become the most recently used. Of a request longer than the cache only what fits is held.
/// </remarks>
internal static class TraceReplay
{
    // The smallest block there is; nothing is ever written into it.
    private static readonly BlockLayout MetadataOnly = new(Layers: 1, KvHeads: 1, HeadDim: 1, KvFormat.BF16, BlockSize: 1);

    /// <summary>Counts the blocks that are found.</summary>
    /// <param name="trace">The requests.</param>
    /// <param name="capacity">Blocks of the cache, at least 1; <see langword="null"/> = as many as there are.</param>
    /// <param name="onRequest">Told after each request.</param>
    /// <param name="cancellationToken">Ends the replay.</param>
    public static int CountHits(Trace trace, int? capacity, Action onRequest, CancellationToken cancellationToken)
    {
        // More room than there are blocks changes nothing but the memory it takes.
        int blocks = Math.Min(capacity ?? trace.DistinctBlockCount, trace.DistinctBlockCount);
        using var cache = new KvCache(MetadataOnly, new KvCacheOptions { HotBlocks = blocks, Prefault = false });
        BlockHash root = BlockHash.Root([], MetadataOnly, []);
        int hits = 0;
        foreach (int[] request in trace.Requests)
        {
            cancellationToken.ThrowIfCancellationRequested();
            ReadOnlySpan<int> held = request.AsSpan(0, Math.Min(request.Length, blocks));
            using BlockLease lease = cache.Acquire(root, held);
            hits += lease.CachedTokenCount;
            ReadOnlySpan<int> missing = held[lease.CachedTokenCount..];
            if (!cache.TryReserve(lease, missing.Length))
                throw new InvalidOperationException($"No room for {missing.Length} blocks, although nothing else is in use.");
            cache.Append(lease, missing);
            onRequest();
        }

        return hits;
    }
}
