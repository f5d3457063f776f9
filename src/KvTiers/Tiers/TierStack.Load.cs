using System.Buffers;
using KvTiers.Blocks;
using KvTiers.Prefix;

namespace KvTiers.Tiers;

/// <content>Whole blocks into a lease.</content>
public sealed partial class TierStack
{
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
}
