using System.Buffers;
using KvTiers.Prefix;

namespace KvTiers.Tiers;

/// <summary>Blocks of one lane into a lease's own blocks, checked and sealed in order.</summary>
internal sealed class BlockLoader(KvCache cache, TimeProvider time)
{
    private int BlockBytes => cache.Shape.BytesPerBlock;

    /// <summary>Reads blocks side by side, and seals those that arrived in order.</summary>
    /// <param name="load">The promotion; its lease ends where the first block begins.</param>
    /// <param name="lane">Where the blocks are.</param>
    /// <param name="first">The first block's number in the path.</param>
    /// <param name="count">Blocks.</param>
    /// <param name="deadline">How long they may take.</param>
    /// <returns>Blocks that arrived.</returns>
    public async ValueTask<int> LoadAsync(Loading load, TierLane lane, int first, int count, TimeSpan deadline)
    {
        long start = time.GetTimestamp();
        ReadOnlyMemory<BlockHash> hashes = load.Path.Hashes(first, first + count);
        (int arrived, Task? late) = lane.Options.Exclusive && cache.Pool.FreeCount < count
            ? await ExchangeAsync(load, lane, hashes, deadline).ConfigureAwait(false)
            : await ReadInPlaceAsync(load, lane, hashes, deadline).ConfigureAwait(false);
        cache.AppendPromoted(load.Lease, load.Path, arrived);
        if (arrived > 0 || late is not null)
            lane.Rate.AddLoad((long)(late is null ? arrived : count) * BlockBytes, time.GetElapsedTime(start));
        cache.Truncate(load.Lease, load.Lease.TokenCount, late);
        load.Cancellation.ThrowIfCancellationRequested();
        return arrived;
    }

    /// <summary>Reads a partial last block over what is hot of it.</summary>
    /// <param name="load">The promotion.</param>
    /// <param name="lane">Where the block is.</param>
    /// <param name="hash">Its hash at this length.</param>
    /// <param name="length">Its tokens.</param>
    /// <param name="deadline">How long it may take.</param>
    public async ValueTask<bool> TryLoadTailAsync(Loading load, TierLane lane, BlockHash hash, int length, TimeSpan deadline)
    {
        BlockLease lease = load.Lease;
        int hot = lease.TokenCount % cache.Shape.BlockSize;
        if (!cache.TryReserve(lease, length - hot))
        {
            load.LackedRoom = true;
            return false;
        }

        int entry = lease.TokenCount / cache.Shape.BlockSize;
        LaneRead read = await lane.ReadAsync(new[] { hash }, _ => MemoryOf(lease, entry), deadline, load.Cancellation).ConfigureAwait(false);
        if (read.Arrived.Length == 1)
        {
            cache.Append(lease, load.Path.Tokens.Slice(lease.TokenCount, length - hot));
            return true;
        }

        // The block's former rows may be overwritten in part.
        cache.Truncate(lease, lease.TokenCount - hot, read.Late);
        load.Cancellation.ThrowIfCancellationRequested();
        return false;
    }

    private async ValueTask<(int Arrived, Task? Late)> ReadInPlaceAsync(Loading load, TierLane lane, ReadOnlyMemory<BlockHash> hashes, TimeSpan deadline)
    {
        BlockLease lease = load.Lease;
        if (!cache.TryReserve(lease, hashes.Length * cache.Shape.BlockSize))
        {
            load.LackedRoom = true;
            return default;
        }

        int entry = lease.TokenCount / cache.Shape.BlockSize;
        LaneRead read = await lane.ReadAsync(hashes, i => MemoryOf(lease, entry + i), deadline, load.Cancellation).ConfigureAwait(false);
        if (read.Arrived.Length > 0 && lane.Options.Exclusive)
            await lane.ForgetAsync(hashes[..read.Arrived.Length], CancellationToken.None).ConfigureAwait(false);
        return (read.Arrived.Length, read.Late);
    }

    /// <summary>
    /// With no free block in the hot tier, blocks change places: those that come leave their tier before those that go
    /// are evicted, so that no tier gives up a block for want of the room that an exchange does not need.
    /// </summary>
    private async ValueTask<(int Arrived, Task? Late)> ExchangeAsync(Loading load, TierLane lane, ReadOnlyMemory<BlockHash> hashes, TimeSpan deadline)
    {
        int bytes = BlockBytes, blockSize = cache.Shape.BlockSize;
        byte[] staging = ArrayPool<byte>.Shared.Rent(hashes.Length * bytes);
        LaneRead read = await lane.ReadAsync(hashes, i => staging.AsMemory(i * bytes, bytes), deadline, load.Cancellation).ConfigureAwait(false);
        int count = read.Arrived.Length;
        if (count > 0)
        {
            await lane.ForgetAsync(hashes[..count], CancellationToken.None).ConfigureAwait(false);
            if (!cache.TryReserve(load.Lease, count * blockSize))
            {
                // Back to where they were, as they were.
                load.LackedRoom = true;
                for (int i = 0; i < count; i++)
                    lane.Offer(hashes.Span[i], staging.AsSpan(i * bytes, bytes), read.Arrived[i], StallBudget.None);
                count = 0;
            }
        }

        int entry = load.Lease.TokenCount / blockSize;
        for (int i = 0; i < count; i++)
            staging.AsSpan(i * bytes, bytes).CopyTo(cache.Pool.Bytes(load.Lease.Table.Slots[entry + i]));

        // A read that is late still writes there.
        if (read.Late is null)
            ArrayPool<byte>.Shared.Return(staging);
        return (count, null);
    }

    private Memory<byte> MemoryOf(BlockLease lease, int entry) => NativeMemoryManager.At(lease.Table.Addresses[entry], BlockBytes).Memory;
}
