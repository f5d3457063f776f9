using System.Collections.Concurrent;
using KvTiers.Prefix;

namespace KvTiers.Tiers;

/// <summary>Finds the blocks that follow a lease's hot tokens in colder tiers, plans how many are worth loading, and loads them and then the partial last one.</summary>
/// <remarks>
/// A block being loaded is the lease's own and invisible until it is complete; requests for the same blocks wait for the one that loads them. A lane that
/// does not answer in time costs its load, not the request. Thread-safe.
/// </remarks>
internal sealed class Promotion
{
    // By rate, a load is given up when it takes twice as long as computing would, or as a trial was expected to; but what takes no longer than this is
    // nobody's fault.
    private static readonly TimeSpan ShortestDeadline = TimeSpan.FromMilliseconds(200);

    private readonly ConcurrentDictionary<BlockHash, TaskCompletionSource<bool>> _loading = [];
    private readonly KvCache _cache;
    private readonly TierLane[] _lanes;
    private readonly PromotionPolicy _policy;
    private readonly PromotionPlanner _planner;
    private readonly TimeProvider _time;
    private readonly BlockLoader _loader;
    private readonly TransferRate[] _rates;

    public Promotion(KvCache cache, TierLane[] lanes, PromotionPolicy policy, PromotionPlanner planner, TimeProvider time)
    {
        _cache = cache;
        _lanes = lanes;
        _policy = policy;
        _planner = planner;
        _time = time;
        _loader = new BlockLoader(cache, time);
        _rates = [.. lanes.Select(lane => lane.Rate)];
    }

    /// <summary>Loads the blocks that follow a lease's hot tokens, as far as that is worth it.</summary>
    public async ValueTask<PromotionResult> PromoteAsync(BlockLease lease, ReadOnlyMemory<int> tokens, CancellationToken cancellationToken)
    {
        var load = new Loading(lease, new BlockPath(lease.Root, _cache.Shape.BlockSize, tokens.Span), _lanes.Length, cancellationToken);
        load.Path.Anchor(lease.Path.BlockCount, lease.Path.HashAfter(lease.Path.BlockCount));
        int foundBlocks = 0, planned = 0, loaded = 0;
        if (_policy == PromotionPolicy.Never || _lanes.Length == 0)
            return new PromotionResult(load.Tokens, 0, 0, 0);
        while (lease.TokenCount / _cache.Shape.BlockSize is var hot && hot < load.Path.BlockCount)
        {
            BlockHash first = load.Path.HashAfter(hot + 1);
            var mine = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
            TaskCompletionSource<bool> loader = _loading.GetOrAdd(first, mine);
            if (loader == mine)
            {
                try
                {
                    // Whoever loaded it may have finished since the lease was acquired.
                    if (_cache.Rematch(lease, tokens.Span) > 0)
                        continue;
                    (foundBlocks, planned, loaded) = await LoadChainAsync(load, hot).ConfigureAwait(false);
                }
                finally
                {
                    _loading.TryRemove(new KeyValuePair<BlockHash, TaskCompletionSource<bool>>(first, mine));
                    mine.SetResult(load.LackedRoom);
                }

                break;
            }

            bool lackedRoom = await loader.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
            if (_cache.Rematch(lease, tokens.Span) > 0)
                continue;
            load.LackedRoom = lackedRoom;
            break;
        }

        if (!load.LackedRoom)
            loaded += await LoadTailAsync(load).ConfigureAwait(false);
        return new PromotionResult(load.Tokens, foundBlocks, planned, loaded) { LackedRoom = load.LackedRoom };
    }

    /// <summary>
    /// Loads the blocks from one on that are worth it. A block that does not arrive may have passed into another lane meanwhile, or stand there too, so the
    /// lanes are searched again.
    /// </summary>
    private async ValueTask<(int Found, int Planned, int Loaded)> LoadChainAsync(Loading load, int firstBlock)
    {
        int loaded = 0, everFound = 0, planned = 0;
        int? failed = null;
        while (true)
        {
            List<TierRun> runs = await FindAsync(load, firstBlock + loaded).ConfigureAwait(false);
            int found = runs.Sum(run => run.BlockCount);
            int wanted = found == 0 || runs[0].Tier == failed ? 0 : Choose(load, runs, found);

            // What failed on its way was found and planned, though it is found no more.
            everFound = Math.Max(everFound, loaded + found);
            planned = Math.Max(planned, loaded + wanted);
            int arrived = await LoadRunsAsync(load, runs, firstBlock + loaded, wanted).ConfigureAwait(false);
            loaded += arrived;
            if (arrived == wanted || load.LackedRoom)
                return (everFound, planned, loaded);
            failed = LaneAt(runs, arrived);
        }
    }

    /// <summary>Finds the hottest lane that holds each of the blocks from one on.</summary>
    private async ValueTask<List<TierRun>> FindAsync(Loading load, int block)
    {
        var runs = new List<TierRun>();
        int lane = 0;
        while (block < load.Path.BlockCount && lane < _lanes.Length)
        {
            int count = await CountAsync(load, lane, block).ConfigureAwait(false);
            if (count == 0)
            {
                lane++;
                if (lane == _lanes.Length && _cache.EvictionOf(load.Path.Hashes(block, block + 1)) is { } eviction)
                {
                    // It is just leaving the hot tier, and will be in one of these.
                    await eviction.WaitAsync(load.Cancellation).ConfigureAwait(false);
                    lane = 0;
                }

                continue;
            }

            if (runs.Count > 0 && runs[^1].Tier == lane)
                runs[^1] = new TierRun(lane, runs[^1].BlockCount + count);
            else
                runs.Add(new TierRun(lane, count));
            block += count;
            lane = 0;
        }

        return runs;
    }

    private async ValueTask<int> CountAsync(Loading load, int number, int block)
    {
        TierLane lane = _lanes[number];
        ReadOnlyMemory<BlockHash> chain = load.Path.Hashes(block, load.Path.BlockCount);
        if (lane.CountQueued(chain.Span) is > 0 and int queued)
            return queued;
        if (_policy == PromotionPolicy.ByRate && !lane.IsInPlace)
        {
            double asking = PromotionPlanner.SecondsToAsk(lane.Rate, chain.Length, BlocksAtOnce(lane), _cache.Shape.BytesPerBlock);
            if (asking >= chain.Length * _cache.Shape.BlockSize * _planner.PrefillSecondsPerToken && !IsTried(load, lane, chain.Length))
                return 0;
        }

        long start = _time.GetTimestamp();
        int count = await lane.CountStoredAsync(chain, DeadlineFor(lane, chain.Length), load.Cancellation).ConfigureAwait(false);
        lane.Rate.AddQuestion(_time.GetElapsedTime(start));
        return count;
    }

    private int Choose(Loading load, List<TierRun> runs, int found)
    {
        if (_policy == PromotionPolicy.Always)
            return found;
        int wanted = _planner.BlocksToLoad([.. runs], _rates, [.. _lanes.Select(BlocksAtOnce)], _cache.Shape.BytesPerBlock, _cache.Shape.BlockSize);
        if (wanted == found)
            return found;
        TierLane next = _lanes[LaneAt(runs, wanted)];
        return IsTried(load, next, found - wanted) ? Math.Min(found, wanted + BlocksAtOnce(next)) : wanted;
    }

    private bool IsTried(Loading load, TierLane lane, int blockCount)
    {
        if (load.Tried is null && lane.TakesTrial(SecondsToTry(lane, blockCount)))
            load.Tried = lane;
        return load.Tried == lane;
    }

    /// <summary>Loads the first blocks of the runs, in order; ends at the first that does not arrive.</summary>
    private async ValueTask<int> LoadRunsAsync(Loading load, List<TierRun> runs, int firstBlock, int wanted)
    {
        if (wanted == 0)
            return 0;
        int blockSize = _cache.Shape.BlockSize;
        int hotTail = load.Lease.TokenCount - (firstBlock * blockSize);
        _cache.Truncate(load.Lease, firstBlock * blockSize);
        int done = 0;
        foreach (TierRun run in runs)
        {
            TierLane lane = _lanes[run.Tier];
            int end = Math.Min(done + run.BlockCount, wanted), before = done;
            while (done < end)
            {
                int batch = Math.Min(end - done, BlocksAtOnce(lane));
                int arrived = await _loader.LoadAsync(load, lane, firstBlock + done, batch, DeadlineFor(lane, batch)).ConfigureAwait(false);
                load.Tokens[run.Tier] += arrived * blockSize;
                done += arrived;
                if (arrived < batch)
                    end = wanted = done;
            }

            lane.CountPromoted((done - before) * blockSize);
            if (done == wanted)
                break;
        }

        if (done == 0 && hotTail > 0)
            _cache.Rematch(load.Lease, load.Path.Tokens);
        return done;
    }

    /// <summary>Loads the longest beginning that a lane holds of the partial block at the end.</summary>
    private async ValueTask<int> LoadTailAsync(Loading load)
    {
        int blockSize = _cache.Shape.BlockSize, block = load.Lease.TokenCount / blockSize, hot = load.Lease.TokenCount % blockSize;
        int longest = Math.Min(load.Path.TokenCount - (block * blockSize), blockSize - 1);
        if (longest <= hot)
            return 0;
        BlockHash[] lengths = [.. Enumerable.Range(1, longest).Select(length => load.Path.HashOfPart(block, length))];
        while (_cache.EvictionOf(lengths) is { } eviction)
            await eviction.WaitAsync(load.Cancellation).ConfigureAwait(false);

        // A block that does not arrive from one lane may be there at the same length in another: each lane has a bound of its own.
        int[] atMost = [.. _lanes.Select(lane => lane.IsInPlace || !lane.Options.Shared ? longest : 0)];
        while (true)
        {
            (int found, int length) = (-1, hot);
            foreach ((int number, TierLane lane) in _lanes.Index().Where(other => atMost[other.Index] > hot))
            {
                int last = await lane.FindLastAsync(lengths.AsMemory(length, Math.Max(0, atMost[number] - length)), DeadlineFor(lane, 1), load.Cancellation).ConfigureAwait(false);
                if (last >= 0)
                    (found, length) = (number, length + last + 1);
            }

            if (found < 0)
                break;
            if (await _loader.TryLoadTailAsync(load, _lanes[found], lengths[length - 1], length, DeadlineFor(_lanes[found], 1)).ConfigureAwait(false))
            {
                load.Tokens[found] += length - hot;
                _lanes[found].CountPromoted(length - hot);
                return 1;
            }

            if (load.LackedRoom)
                return 0;
            atMost[found] = length - 1;
            hot = load.Lease.TokenCount % blockSize;
        }

        // What was hot of the block may have been given up for a copy that did not arrive.
        _cache.Rematch(load.Lease, load.Path.Tokens);
        return 0;
    }

    // Never more than there is room for anyway, so that no block is evicted for another that is not yet due.
    private int BlocksAtOnce(TierLane lane) => lane.BlocksAtOnce(_cache.Pool.FreeCount);

    private TimeSpan DeadlineFor(TierLane lane, int blockCount)
    {
        TimeSpan longest = lane.Options.Deadline;
        if (_policy != PromotionPolicy.ByRate)
            return longest;
        double computing = blockCount * _cache.Shape.BlockSize * _planner.PrefillSecondsPerToken;
        var worth = TimeSpan.FromSeconds(Math.Min(longest.TotalSeconds, 2 * Math.Max(computing, SecondsToTry(lane, blockCount))));
        worth = worth > ShortestDeadline ? worth : ShortestDeadline;
        return worth < longest ? worth : longest;
    }

    // The question, and as many blocks as are read at once.
    private double SecondsToTry(TierLane lane, int blockCount)
    {
        int atOnce = BlocksAtOnce(lane);
        return PromotionPlanner.SecondsToAsk(lane.Rate, Math.Min(blockCount, atOnce), atOnce, _cache.Shape.BytesPerBlock);
    }

    private static int LaneAt(List<TierRun> runs, int block)
    {
        int run = 0;
        while (block >= runs[run].BlockCount)
            block -= runs[run++].BlockCount;
        return runs[run].Tier;
    }
}
