using System.Collections.Concurrent;
using KvTiers.Blocks;
using KvTiers.Prefix;

namespace KvTiers.Tiers;

public sealed partial class TierStack
{
    private readonly ConcurrentDictionary<BlockHash, TaskCompletionSource<bool>> _loading = [];

    /// <summary>Brings the blocks that follow a lease's hot tokens from the colder tiers, as many as are worth it.</summary>
    /// <param name="lease">A lease as <see cref="KvCache.Acquire"/> returned it; nobody else may use it meanwhile.</param>
    /// <param name="tokens">The whole sequence, as for <see cref="KvCache.Acquire"/>.</param>
    /// <param name="cancellationToken">Ends the loading; what has arrived stays in the lease.</param>
    /// <returns>What arrived. The lease's tokens have grown by as much, and by what others sealed meanwhile.</returns>
    public async ValueTask<PromotionResult> PromoteAsync(BlockLease lease, ReadOnlyMemory<int> tokens, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(lease);
        var arrivals = new Arrivals(_tiers.Length);
        int held = 0, planned = 0, loaded = 0;
        if (_options.Promotion != PromotionPolicy.Never && _tiers.Length > 0)
        {
            while (true)
            {
                BlockHash[] chain = ChainAfter(lease, tokens.Span, out int firstToken);
                if (chain.Length == 0)
                {
                    break;
                }

                var mine = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
                TaskCompletionSource<bool> loader = _loading.GetOrAdd(chain[0], mine);
                if (loader != mine)
                {
                    bool lackedRoom = await loader.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
                    if (Cache.Extend(lease, tokens.Span) == 0)
                    {
                        arrivals.LackedRoom = lackedRoom;
                        break;
                    }

                    continue;
                }

                try
                {
                    (held, planned, loaded) = await LoadChainAsync(lease, tokens, chain, firstToken, arrivals, cancellationToken).ConfigureAwait(false);
                }
                finally
                {
                    _loading.TryRemove(new KeyValuePair<BlockHash, TaskCompletionSource<bool>>(chain[0], mine));
                    mine.SetResult(arrivals.LackedRoom);
                }

                break;
            }

            if (!arrivals.LackedRoom)
            {
                loaded += await LoadTailAsync(lease, tokens, arrivals, cancellationToken).ConfigureAwait(false);
            }
        }

        Gained(lease.Root.TenantNumber);
        return Counted(new PromotionResult(arrivals.Tokens, held, planned, loaded) { LackedRoom = arrivals.LackedRoom });
    }

    /// <summary>
    /// Loads what is worth it of the chain. A block that does not arrive may have passed into another tier meanwhile, or stand there
    /// too: it is looked for again.
    /// </summary>
    private async ValueTask<(int Held, int Planned, int Loaded)> LoadChainAsync(
        BlockLease lease, ReadOnlyMemory<int> tokens, ReadOnlyMemory<BlockHash> chain, int firstToken, Arrivals arrivals, CancellationToken cancellationToken)
    {
        int loaded = 0, held = 0, planned = 0;
        int? failedTier = null;
        while (true)
        {
            List<TierRun> runs = await FindRunsAsync(chain[loaded..], cancellationToken).ConfigureAwait(false);
            int found = runs.Sum(run => run.BlockCount);
            int toLoad = found == 0 || runs[0].Tier == failedTier ? 0 : Plan(runs, found);
            if (toLoad < found && failedTier is null)
            {
                MeasureAside(runs[^1].Tier, chain.Span[loaded + found - 1]);
            }

            // What failed on its way was held and planned, though it is found no more.
            held = Math.Max(held, loaded + found);
            planned = Math.Max(planned, loaded + toLoad);
            int start = firstToken + (loaded * Cache.Layout.BlockSize);
            int arrived = await LoadAsync(lease, tokens, chain[loaded..], runs, toLoad, start, arrivals, cancellationToken).ConfigureAwait(false);
            loaded += arrived;
            if (arrived == toLoad || arrivals.LackedRoom)
            {
                return (held, planned, loaded);
            }

            failedTier = TierAt(runs, arrived);
        }
    }

    private static int TierAt(List<TierRun> runs, int block)
    {
        int run = 0;
        while (block >= runs[run].BlockCount)
        {
            block -= runs[run++].BlockCount;
        }

        return runs[run].Tier;
    }

    /// <summary>The hashes of the whole blocks that follow the hot ones.</summary>
    private BlockHash[] ChainAfter(BlockLease lease, ReadOnlySpan<int> tokens, out int firstToken)
    {
        int blockSize = Cache.Layout.BlockSize;
        int hotBlocks = lease.TokenCount / blockSize;
        firstToken = hotBlocks * blockSize;
        var chain = new BlockHash[(tokens.Length / blockSize) - hotBlocks];
        BlockHash parent = chain.Length == 0 ? default : Cache.HashAt(lease, hotBlocks);
        for (int i = 0; i < chain.Length; i++)
        {
            chain[i] = parent = parent.Next(tokens.Slice(firstToken + (i * blockSize), blockSize));
        }

        return chain;
    }

    private int Plan(List<TierRun> runs, int found) => _options.Promotion == PromotionPolicy.Always
        ? found
        : Planner.BlocksToLoad(
            [.. runs], _rates, [.. Enumerable.Range(0, _tiers.Length).Select(BlocksAtOnce)], Cache.Layout.BytesPerBlock, Cache.Layout.BlockSize);

    /// <summary>What a promotion has brought so far.</summary>
    private sealed class Arrivals(int tiers)
    {
        /// <summary>Tokens from each tier.</summary>
        public int[] Tokens { get; } = new int[tiers];

        public bool LackedRoom { get; set; }
    }
}
