using KvTiers.Prefix;

namespace KvTiers;

/// <summary>Is offered blocks, with their bytes, when they become immutable, when they are found again and when they are evicted: colder tiers take their copies there.</summary>
/// <remarks>It may take a block or not, and hold up an eviction within the caller's budget, but stop none. The bytes may be read during the call only. What it throws is counted (<see cref="CacheTotals.RecipientFaults"/>) and passes no further.</remarks>
internal interface IBlockRecipient
{
    /// <summary>A block has become matchable.</summary>
    /// <remarks>Called under the cache's lock: do not wait, and do not call the cache.</remarks>
    /// <param name="hash">Its prefix hash.</param>
    /// <param name="attributes">Its tokens, fewer than the block size for the published end of a sequence; its path's rank, and when it expires unless it is used.</param>
    /// <param name="bytes">Its bytes, in the cache's shape.</param>
    void OnSealed(BlockHash hash, in BlockAttributes attributes, ReadOnlySpan<byte> bytes);

    /// <summary>Whether <see cref="OnReused"/> is called at all. Constant.</summary>
    bool SeesReuse => false;

    /// <summary>A lease has found a whole block that no lease had found since it became matchable.</summary>
    /// <remarks>Called without the cache's lock; the lease holds the block. Do not wait: a request does.</remarks>
    /// <param name="hash">Its prefix hash.</param>
    /// <param name="attributes">As for <see cref="OnSealed"/>.</param>
    /// <param name="bytes">Its bytes, in the cache's shape.</param>
    /// <returns>Whether that is noted. Otherwise it, and what follows it, is told again at the next use.</returns>
    bool OnReused(BlockHash hash, in BlockAttributes attributes, ReadOnlySpan<byte> bytes) => true;

    /// <summary>Free blocks were taken into use.</summary>
    /// <remarks>Called under the cache's lock: do not wait, and do not call the cache.</remarks>
    /// <param name="freeBlocks">Blocks that are free now.</param>
    /// <param name="capacityBlocks">Blocks in service.</param>
    void OnTaken(int freeBlocks, int capacityBlocks)
    {
    }

    /// <summary>A block is about to be forgotten for want of room. Erasure and replacement by a longer block are not eviction.</summary>
    /// <remarks>
    /// Called without the cache's lock, by several threads at once: only whoever wants the block's room waits, and no longer than the budget that all
    /// blocks of its call share. The block is found no more.
    /// </remarks>
    /// <param name="hash">Its prefix hash.</param>
    /// <param name="attributes">As for <see cref="OnSealed"/>, counted from its last use.</param>
    /// <param name="bytes">Its bytes, in the cache's shape.</param>
    /// <param name="cause">Why it goes first; a superseded block is not worth keeping elsewhere.</param>
    /// <param name="budget">What may be waited with.</param>
    void OnEvicting(BlockHash hash, in BlockAttributes attributes, ReadOnlySpan<byte> bytes, EvictionCause cause, StallBudget budget);
}
