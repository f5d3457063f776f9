using KvTiers.Blocks;
using KvTiers.Prefix;

namespace KvTiers.Tiers;

/// <content>The partial last block into a lease.</content>
public sealed partial class TierStack
{
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
}
