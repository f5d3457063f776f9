using KvTiers.Prefix;

namespace KvTiers.Tiers;

public sealed partial class TierStack
{
    /// <summary>Tells every tier that an edit cut a path. See <see cref="KvCache.Supersede"/>.</summary>
    /// <remarks>Hot blocks stay until somebody needs their room; copies in tiers of this process alone go now; in shared tiers they expire soon.</remarks>
    /// <returns>What became of the hot blocks, and the blocks removed or left to expire in each tier.</returns>
    public async ValueTask<(SupersedeResult Hot, IReadOnlyList<TierRemoval> Tiers)> SupersedeAsync(
        BlockHash root, ReadOnlyMemory<int> tokens, int keptTokenCount, CancellationToken cancellationToken)
    {
        SupersedeResult hot = Cache.Supersede(root, tokens.Span, keptTokenCount);
        int kept = (keptTokenCount / Cache.Layout.BlockSize) + hot.SharedBlocks;
        BlockHash[] cut = PathHashes(root, tokens.Span, kept);
        var removals = new TierRemoval[_tiers.Length];

        // A block of the path may be on its way down since before: where it arrives, it is to be found and removed.
        await Cache.DeparturesAsync().WaitAsync(cancellationToken).ConfigureAwait(false);
        for (int i = 0; i < _tiers.Length; i++)
        {
            ForgetQueued(i, cut);
            int count = _tiers[i].Shared
                ? await _tiers[i].Tier.ExpireAsync(cut, _time.GetUtcNow() + _tiers[i].SupersededTimeToLive, cancellationToken).ConfigureAwait(false)
                : await _tiers[i].Tier.RemoveAsync(cut, cancellationToken).ConfigureAwait(false);
            removals[i] = Removal(i, count);
        }

        return (hot, removals);
    }

    /// <summary>Erases a path from every colder tier, from its block number <paramref name="keptBlocks"/> on, after <see cref="KvCache.Erase"/>.</summary>
    /// <param name="root">The namespace.</param>
    /// <param name="tokens">The path.</param>
    /// <param name="keptBlocks">Leading blocks that others still use.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public async ValueTask<IReadOnlyList<TierRemoval>> EraseAsync(
        BlockHash root, ReadOnlyMemory<int> tokens, int keptBlocks, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(keptBlocks);
        BlockHash[] erased = PathHashes(root, tokens.Span, keptBlocks);
        var removals = new TierRemoval[_tiers.Length];
        await Cache.DeparturesAsync().WaitAsync(cancellationToken).ConfigureAwait(false);
        for (int i = 0; i < _tiers.Length; i++)
        {
            ForgetQueued(i, erased);
            removals[i] = Removal(i, await _tiers[i].Tier.RemoveAsync(erased, cancellationToken).ConfigureAwait(false));
        }

        return removals;
    }

    private TierRemoval Removal(int tier, int blocks)
    {
        TierUsage usage = _tiers[tier].Tier.Usage;
        return new TierRemoval(usage.Name, blocks, blocks * usage.BytesPerBlock);
    }

    /// <summary>The hashes of a path's blocks from one on, and of every length that its partial last block may have been published at.</summary>
    private BlockHash[] PathHashes(BlockHash root, ReadOnlySpan<int> tokens, int firstBlock)
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

        return [.. hashes];
    }
}
