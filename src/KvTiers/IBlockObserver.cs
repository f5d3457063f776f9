using KvTiers.Prefix;
using KvTiers.Tiers;

namespace KvTiers;

/// <summary>Is told of blocks as they become immutable and as they go, with their bytes: where a colder tier takes its copies.</summary>
/// <remarks>The bytes may be read during the call only.</remarks>
public interface IBlockObserver
{
    /// <summary>A block has become matchable.</summary>
    /// <remarks>Called under the cache's lock: do not wait, and do not call the cache.</remarks>
    /// <param name="hash">Its prefix hash.</param>
    /// <param name="attributes">Its tokens, fewer than the block size for the published end of a sequence; its path's rank, and when it expires unless it is used.</param>
    /// <param name="bytes">Its bytes, in the cache's layout.</param>
    void OnSealed(BlockHash hash, in BlockAttributes attributes, ReadOnlySpan<byte> bytes);

    /// <summary>A block is about to be forgotten for want of room. Erasure and replacement by a longer block are not eviction.</summary>
    /// <remarks>
    /// Called without the cache's lock, by several threads at once, so it may take its time: only whoever wants the block's room waits.
    /// The block is found no more.
    /// </remarks>
    /// <param name="hash">Its prefix hash.</param>
    /// <param name="attributes">As for <see cref="OnSealed"/>, counted from its last use.</param>
    /// <param name="bytes">Its bytes, in the cache's layout.</param>
    /// <param name="cause">Why it goes first; a superseded block is not worth keeping elsewhere.</param>
    void OnEvicting(BlockHash hash, in BlockAttributes attributes, ReadOnlySpan<byte> bytes, EvictionCause cause);
}
