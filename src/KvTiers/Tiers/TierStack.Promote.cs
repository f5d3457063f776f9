using System.Buffers;
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

    /// <summary>Which tier holds which of the leading blocks; the hottest that has a block counts.</summary>
    private async ValueTask<List<TierRun>> FindRunsAsync(ReadOnlyMemory<BlockHash> chain, CancellationToken cancellationToken)
    {
        var runs = new List<TierRun>();
        int tier = 0;
        while (!chain.IsEmpty && tier < _tiers.Length)
        {
            int count = await CountLeadingAsync(tier, chain, cancellationToken).ConfigureAwait(false);
            if (count == 0)
            {
                tier++;
                if (tier == _tiers.Length && Cache.DepartureOf(chain[..1]) is { } departure)
                {
                    // It is just leaving the hot tier, and will be in one of these.
                    await departure.WaitAsync(cancellationToken).ConfigureAwait(false);
                    tier = 0;
                }

                continue;
            }

            if (runs.Count > 0 && runs[^1].Tier == tier)
            {
                count += runs[^1].BlockCount;
                chain = chain[(count - runs[^1].BlockCount)..];
                runs[^1] = new TierRun(tier, count);
            }
            else
            {
                runs.Add(new TierRun(tier, count));
                chain = chain[count..];
            }

            tier = 0;
        }

        return runs;
    }

    private async ValueTask<int> CountLeadingAsync(int tier, ReadOnlyMemory<BlockHash> chain, CancellationToken cancellationToken)
    {
        int queued = 0;
        if (_writers[tier] is { } writer)
        {
            while (queued < chain.Length && writer.Holds(chain.Span[queued]))
            {
                queued++;
            }
        }

        if (queued > 0)
        {
            return queued;
        }

        if (!IsWorthAsking(tier, chain.Length))
        {
            MeasureAside(tier, chain.Span[0]);
            return 0;
        }

        long start = _time.GetTimestamp();
        int count = await _tiers[tier].Tier.CountLeadingAsync(chain, cancellationToken).ConfigureAwait(false);
        _rates[tier].AddRoundTrip(_time.GetElapsedTime(start));
        return count;
    }

    private int Plan(List<TierRun> runs, int found) => _options.Promotion == PromotionPolicy.Always
        ? found
        : Planner.BlocksToLoad(
            [.. runs], _rates, [.. Enumerable.Range(0, _tiers.Length).Select(BlocksAtOnce)], Cache.Layout.BytesPerBlock, Cache.Layout.BlockSize);

    /// <summary>Loads the first blocks of the chain into the lease, in order; ends at the first that does not arrive.</summary>
    private async ValueTask<int> LoadAsync(
        BlockLease lease,
        ReadOnlyMemory<int> tokens,
        ReadOnlyMemory<BlockHash> chain,
        List<TierRun> runs,
        int blockCount,
        int firstToken,
        Arrivals arrivals,
        CancellationToken cancellationToken)
    {
        if (blockCount == 0)
        {
            return 0;
        }

        int blockSize = Cache.Layout.BlockSize;
        int hotTail = lease.TokenCount - firstToken;
        Cache.Truncate(lease, firstToken);
        int done = 0;
        bool arrived = true;
        foreach (TierRun run in runs)
        {
            int end = Math.Min(done + run.BlockCount, blockCount);
            while (arrived && done < end)
            {
                int batch = Math.Min(end - done, BlocksAtOnce(run.Tier));
                int loaded = await LoadBatchAsync(
                    lease, tokens.Slice(firstToken + (done * blockSize), batch * blockSize), chain.Slice(done, batch), run.Tier, arrivals, cancellationToken).ConfigureAwait(false);
                arrivals.Tokens[run.Tier] += loaded * blockSize;
                done += loaded;
                arrived = loaded == batch;
            }

            if (!arrived || done == blockCount)
            {
                break;
            }
        }

        if (done == 0 && hotTail > 0)
        {
            Cache.Extend(lease, tokens.Span);
        }

        return done;
    }

    /// <summary>Reads blocks side by side into the lease's own reserved blocks, and seals those that arrived in order.</summary>
    private async ValueTask<int> LoadBatchAsync(
        BlockLease lease, ReadOnlyMemory<int> tokens, ReadOnlyMemory<BlockHash> hashes, int tier, Arrivals arrivals, CancellationToken cancellationToken)
    {
        int blockSize = Cache.Layout.BlockSize;
        long start = _time.GetTimestamp();
        int count = _tiers[tier].Exclusive && Cache.Pool.FreeCount < hashes.Length
            ? await ExchangeAsync(lease, hashes, tier, arrivals, cancellationToken).ConfigureAwait(false)
            : await ReadInPlaceAsync(lease, hashes, tier, arrivals, cancellationToken).ConfigureAwait(false);
        for (int i = 0; i < count; i++)
        {
            Cache.AppendPromoted(lease, tokens.Span.Slice(i * blockSize, blockSize));
        }

        if (count > 0)
        {
            _rates[tier].AddTransfer((long)count * Cache.Layout.BytesPerBlock, _time.GetElapsedTime(start));
        }

        Cache.Truncate(lease, lease.TokenCount);
        return count;
    }

    private async ValueTask<int> ReadInPlaceAsync(
        BlockLease lease, ReadOnlyMemory<BlockHash> hashes, int tier, Arrivals arrivals, CancellationToken cancellationToken)
    {
        int blockSize = Cache.Layout.BlockSize;
        if (!Cache.TryReserve(lease, hashes.Length * blockSize))
        {
            arrivals.LackedRoom = true;
            return 0;
        }

        int entry = lease.TokenCount / blockSize;
        int count = await ReadAllAsync(
            tier, hashes, i => NativeMemoryManager.At(lease.Table.Addresses[entry + i], Cache.Layout.BytesPerBlock).Memory, cancellationToken).ConfigureAwait(false);
        if (count > 0 && _tiers[tier].Exclusive)
        {
            await ForgetAsync(tier, hashes[..count], cancellationToken).ConfigureAwait(false);
        }

        return count;
    }

    /// <summary>
    /// With no free block in the hot tier, blocks change places: those that come leave their tier before those that go
    /// are evicted, so that no tier gives up a block for want of the room that an exchange does not need.
    /// </summary>
    private async ValueTask<int> ExchangeAsync(
        BlockLease lease, ReadOnlyMemory<BlockHash> hashes, int tier, Arrivals arrivals, CancellationToken cancellationToken)
    {
        int blockSize = Cache.Layout.BlockSize;
        int bytes = Cache.Layout.BytesPerBlock;
        byte[] staging = ArrayPool<byte>.Shared.Rent(hashes.Length * bytes);
        try
        {
            int count = await ReadAllAsync(tier, hashes, i => staging.AsMemory(i * bytes, bytes), cancellationToken).ConfigureAwait(false);
            if (count == 0)
            {
                return 0;
            }

            await ForgetAsync(tier, hashes[..count], cancellationToken).ConfigureAwait(false);
            if (!Cache.TryReserve(lease, count * blockSize))
            {
                arrivals.LackedRoom = true;
                for (int i = 0; i < count; i++)
                {
                    var attributes = new BlockAttributes { TokenCount = blockSize, Tenant = lease.Root.TenantNumber };
                    await _tiers[tier].Tier.TryWriteAsync(hashes.Span[i], staging.AsMemory(i * bytes, bytes), attributes, cancellationToken).ConfigureAwait(false);
                }

                return 0;
            }

            int entry = lease.TokenCount / blockSize;
            for (int i = 0; i < count; i++)
            {
                staging.AsSpan(i * bytes, bytes).CopyTo(Cache.Pool.Bytes(lease.Table.Slots[entry + i]));
            }

            return count;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(staging);
        }
    }

    /// <summary>Reads blocks side by side; the number of leading ones that arrived.</summary>
    private async ValueTask<int> ReadAllAsync(
        int tier, ReadOnlyMemory<BlockHash> hashes, Func<int, Memory<byte>> destination, CancellationToken cancellationToken)
    {
        var reads = new Task<bool>[hashes.Length];
        for (int i = 0; i < reads.Length; i++)
        {
            reads[i] = ReadAsync(tier, hashes.Span[i], destination(i), cancellationToken).AsTask();
        }

        bool[] arrived = await Task.WhenAll(reads).ConfigureAwait(false);
        return arrived.TakeWhile(read => read).Count();
    }

    private async ValueTask ForgetAsync(int tier, ReadOnlyMemory<BlockHash> hashes, CancellationToken cancellationToken)
    {
        foreach (BlockHash hash in hashes.Span)
        {
            _writers[tier]?.Forget(hash);
        }

        await _tiers[tier].Tier.ForgetAsync(hashes, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>A conversation's last block may be there in part: the longest such prefix of what is left is loaded.</summary>
    private async ValueTask<int> LoadTailAsync(
        BlockLease lease, ReadOnlyMemory<int> tokens, Arrivals arrivals, CancellationToken cancellationToken)
    {
        int blockSize = Cache.Layout.BlockSize;
        int hot = lease.TokenCount % blockSize;
        int start = lease.TokenCount - hot;
        int longest = Math.Min(tokens.Length - start, blockSize - 1);
        if (longest <= hot)
        {
            return 0;
        }

        BlockHash parent = Cache.HashAt(lease, start / blockSize);
        var lengths = new BlockHash[longest];
        for (int length = 1; length <= longest; length++)
        {
            lengths[length - 1] = parent.Next(tokens.Span.Slice(start, length));
        }

        while (Cache.DepartureOf(lengths) is { } departure)
        {
            await departure.WaitAsync(cancellationToken).ConfigureAwait(false);
        }

        for (int length = longest; length > hot; length--)
        {
            ReadOnlyMemory<BlockHash> hash = lengths.AsMemory(length - 1, 1);
            for (int tier = 0; tier < _tiers.Length; tier++)
            {
                bool near = _tiers[tier].Immediate || !_tiers[tier].Shared;
                if (near && await CountLeadingAsync(tier, hash, cancellationToken).ConfigureAwait(false) == 1
                    && (await TryLoadTailAsync(lease, tokens.Slice(start, length), hash.Span[0], tier, arrivals, cancellationToken).ConfigureAwait(false)
                        || arrivals.LackedRoom))
                {
                    return arrivals.LackedRoom ? 0 : 1;
                }
            }
        }

        // What was hot of the block may have been given up for a copy that did not arrive.
        Cache.Extend(lease, tokens.Span);
        return 0;
    }

    private async ValueTask<bool> TryLoadTailAsync(
        BlockLease lease, ReadOnlyMemory<int> tail, BlockHash hash, int tier, Arrivals arrivals, CancellationToken cancellationToken)
    {
        int hot = lease.TokenCount % Cache.Layout.BlockSize;
        if (!Cache.TryReserve(lease, tail.Length - hot))
        {
            arrivals.LackedRoom = true;
            return false;
        }

        var memory = NativeMemoryManager.At(lease.Table.Addresses[lease.TokenCount / Cache.Layout.BlockSize], Cache.Layout.BytesPerBlock);
        if (!await ReadAsync(tier, hash, memory.Memory, cancellationToken).ConfigureAwait(false))
        {
            // The block's former rows may be overwritten in part.
            Cache.Truncate(lease, lease.TokenCount - hot);
            return false;
        }

        Cache.Append(lease, tail.Span[hot..]);
        arrivals.Tokens[tier] += tail.Length - hot;
        return true;
    }

    private async ValueTask<bool> ReadAsync(int tier, BlockHash hash, Memory<byte> block, CancellationToken cancellationToken) =>
        (_writers[tier] is { } writer && writer.TryRead(hash, block.Span))
        || await ReadStoredAsync(tier, hash, block, cancellationToken).ConfigureAwait(false);

    // Side by side, and never on a caller's thread: a tier on a device holds its own up.
    private async ValueTask<bool> ReadStoredAsync(int tier, BlockHash hash, Memory<byte> block, CancellationToken cancellationToken)
    {
        IBlockTier from = _tiers[tier].Tier;
        return _tiers[tier].Immediate
            ? await from.TryReadAsync(hash, block, cancellationToken).ConfigureAwait(false)
            : await Task.Run(() => from.TryReadAsync(hash, block, cancellationToken).AsTask(), cancellationToken).ConfigureAwait(false);
    }

    /// <summary>What a promotion has brought so far.</summary>
    private sealed class Arrivals(int tiers)
    {
        /// <summary>Tokens from each tier.</summary>
        public int[] Tokens { get; } = new int[tiers];

        public bool LackedRoom { get; set; }
    }
}
