using KvTiers.Prefix;

namespace KvTiers.Tiers;

public sealed partial class TierStack
{
    /// <summary>Tells every tier that an edit cut a path. See <see cref="KvCache.Supersede"/>.</summary>
    /// <remarks>Hot blocks stay until somebody needs their room; copies in tiers of this process alone go now; in shared tiers they expire soon.</remarks>
    /// <param name="root">The namespace.</param>
    /// <param name="tokens">The path as it was before the edit.</param>
    /// <param name="keptTokenCount">Leading tokens that the edit left alone.</param>
    /// <param name="isUsed">Which blocks of the path somebody comes back to, though nothing in the hot tier tells of it; null for none.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>What became of the hot blocks, and the blocks removed or left to expire in each tier.</returns>
    public async ValueTask<(SupersedeResult Hot, IReadOnlyList<TierRemoval> Tiers)> SupersedeAsync(
        BlockHash root, ReadOnlyMemory<int> tokens, int keptTokenCount, Func<BlockHash, bool>? isUsed, CancellationToken cancellationToken)
    {
        SupersedeResult hot = Cache.Supersede(root, tokens.Span, keptTokenCount);
        int kept = (keptTokenCount / Cache.Layout.BlockSize) + hot.SharedBlocks;
        BlockHash[] cut = PathHashes(root, tokens.Span, kept, isUsed);
        DateTimeOffset? Soon(TierOptions tier) => tier.Shared ? _time.GetUtcNow() + tier.SupersededTimeToLive : null;
        return (hot, await ForgetEverywhereAsync(cut, Soon, cancellationToken).ConfigureAwait(false));
    }

    /// <summary>Erases a path from every colder tier, from its block number <paramref name="keptBlocks"/> on, after <see cref="KvCache.Erase"/>.</summary>
    /// <param name="root">The namespace.</param>
    /// <param name="tokens">The path.</param>
    /// <param name="keptBlocks">Leading blocks that others still use.</param>
    /// <param name="isUsed">Which blocks of the path somebody comes back to, though nothing in the hot tier tells of it; null for none.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public async ValueTask<IReadOnlyList<TierRemoval>> EraseAsync(
        BlockHash root, ReadOnlyMemory<int> tokens, int keptBlocks, Func<BlockHash, bool>? isUsed, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(keptBlocks);
        BlockHash[] erased = PathHashes(root, tokens.Span, keptBlocks, isUsed);
        return await ForgetEverywhereAsync(erased, _ => null, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Follows blocks down, tier by tier, so that none slips by on its way from one to the next.</summary>
    /// <param name="hashes">Blocks that the hot tier demotes no more.</param>
    /// <param name="expiry">When a tier's copies expire; null for at once.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    private async ValueTask<TierRemoval[]> ForgetEverywhereAsync(
        BlockHash[] hashes, Func<TierOptions, DateTimeOffset?> expiry, CancellationToken cancellationToken)
    {
        var removals = new TierRemoval[_tiers.Length];
        await Cache.DeparturesAsync().WaitAsync(cancellationToken).ConfigureAwait(false);
        for (int i = 0; i < _tiers.Length; i++)
        {
            HashSet<BlockHash> queued = await CancelWritesAsync(i, hashes, cancellationToken).ConfigureAwait(false);
            BlockHash[] stored = queued.Count == 0 ? hashes : [.. hashes.Where(hash => !queued.Contains(hash))];
            int count = expiry(_tiers[i]) is { } at
                ? await _tiers[i].Tier.ExpireAsync(stored, at, cancellationToken).ConfigureAwait(false)
                : await _tiers[i].Tier.RemoveAsync(stored, cancellationToken).ConfigureAwait(false);
            if (queued.Count > 0)
            {
                // An older copy may be there beside the one that waited. It is the same block.
                await _tiers[i].Tier.RemoveAsync(queued.ToArray(), cancellationToken).ConfigureAwait(false);
            }

            await PassagesAsync(i, hashes, cancellationToken).ConfigureAwait(false);
            removals[i] = Removal(i, count + queued.Count);
        }

        return removals;
    }

    /// <summary>Drops copies that wait to be written, and returns when none of them is being written any more.</summary>
    private async ValueTask<HashSet<BlockHash>> CancelWritesAsync(int tier, BlockHash[] hashes, CancellationToken cancellationToken)
    {
        var cancelled = new HashSet<BlockHash>();
        if (_writers[tier] is not { } writer)
        {
            return cancelled;
        }

        var ends = new List<Task>();
        foreach (BlockHash hash in hashes)
        {
            if (writer.Forget(hash) is { } end)
            {
                cancelled.Add(hash);
                ends.Add(end);
            }
        }

        await Task.WhenAll(ends).WaitAsync(cancellationToken).ConfigureAwait(false);
        return cancelled;
    }

    private TierRemoval Removal(int tier, int blocks)
    {
        TierUsage usage = _tiers[tier].Tier.Usage;
        return new TierRemoval(usage.Name, blocks, blocks * usage.BytesPerBlock);
    }

    /// <summary>The hashes of a path's blocks from one on, and of every length that its partial last block may have been published at.</summary>
    private BlockHash[] PathHashes(BlockHash root, ReadOnlySpan<int> tokens, int firstBlock, Func<BlockHash, bool>? isUsed)
    {
        int blockSize = Cache.Layout.BlockSize;
        var hashes = new List<BlockHash>();
        BlockHash parent = root;
        for (int block = 0; block * blockSize < tokens.Length; block++)
        {
            ReadOnlySpan<int> rest = tokens[(block * blockSize)..];
            if (block >= firstBlock)
            {
                for (int length = 1; length < Math.Min(rest.Length, blockSize); length++)
                {
                    hashes.Add(parent.Next(rest[..length]));
                }
            }

            parent = parent.Next(rest[..Math.Min(rest.Length, blockSize)]);
            if (block >= firstBlock)
            {
                hashes.Add(parent);
            }
        }

        if (isUsed is not null)
        {
            hashes.RemoveAll(hash => isUsed(hash));
        }

        return [.. hashes];
    }
}
