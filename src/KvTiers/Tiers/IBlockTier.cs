using KvTiers.Prefix;

namespace KvTiers.Tiers;

/// <summary>A colder tier: copies of hot blocks by hash. It can only save work, never break a request.</summary>
/// <remarks>
/// Thread-safe. Nothing here throws but <see cref="OperationCanceledException"/>: what is slow, full, corrupt, truncated
/// or gone is a miss, counted by kind in <see cref="Usage"/>, and the caller recomputes.
/// </remarks>
public interface IBlockTier : IAsyncDisposable
{
    /// <summary>"ram", "disk", "redis": the tier's name in metrics, receipts and settings.</summary>
    string Name { get; }

    /// <summary>Whether a block comes back with the very bits that went in.</summary>
    bool IsLossless { get; }

    /// <summary>Names what a block loses on its way through the tier: 0 for nothing, else a number that only the same loss has (<see cref="Encodings.BlockCodec.Loss"/>).</summary>
    int Loss { get; }

    /// <summary>How many leading blocks of <paramref name="chain"/> are held; 0 when the tier does not answer.</summary>
    ValueTask<int> CountLeadingAsync(ReadOnlyMemory<BlockHash> chain, CancellationToken cancellationToken);

    /// <summary>Reads a block and checks it from end to end.</summary>
    /// <remarks>A tier on a device may hold up the calling thread meanwhile, so it should be one of the thread pool's; so may writing.</remarks>
    /// <param name="hash">The block.</param>
    /// <param name="block">Takes the hot block's bytes; its contents are unspecified on a miss.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>False on a miss.</returns>
    ValueTask<bool> TryReadAsync(BlockHash hash, Memory<byte> block, CancellationToken cancellationToken);

    /// <summary>Stores a copy of a hot block.</summary>
    /// <returns>False when the tier did not take it.</returns>
    ValueTask<bool> TryWriteAsync(BlockHash hash, ReadOnlyMemory<byte> block, BlockAttributes attributes, CancellationToken cancellationToken);

    /// <summary>Forgets blocks for good.</summary>
    /// <returns>How many were held.</returns>
    ValueTask<int> RemoveAsync(ReadOnlyMemory<BlockHash> hashes, CancellationToken cancellationToken);

    /// <summary>Forgets blocks to make room. Cheaper than <see cref="RemoveAsync"/>: after a crash one may be found again.</summary>
    /// <returns>How many were held.</returns>
    ValueTask<int> ForgetAsync(ReadOnlyMemory<BlockHash> hashes, CancellationToken cancellationToken);

    /// <summary>Lets blocks expire at a time, unless a write of the same block renews them.</summary>
    /// <returns>How many were held.</returns>
    ValueTask<int> ExpireAsync(ReadOnlyMemory<BlockHash> hashes, DateTimeOffset at, CancellationToken cancellationToken);

    /// <summary>Bytes that a tenant's blocks take up here; 0 when the tier does not answer.</summary>
    /// <param name="tenant">The number in <see cref="BlockAttributes.Tenant"/>.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    ValueTask<long> BytesOfAsync(int tenant, CancellationToken cancellationToken);

    /// <summary>Forgets blocks of one tenant, in eviction order among themselves, until so many bytes are free.</summary>
    /// <returns>Bytes freed.</returns>
    ValueTask<long> EvictAsync(int tenant, long byteCount, CancellationToken cancellationToken);

    /// <summary>Changes the capacity; shrinking evicts.</summary>
    /// <returns>The capacity reached, in bytes.</returns>
    ValueTask<long> ResizeAsync(long capacityBytes, CancellationToken cancellationToken);

    /// <summary>Forgets every block.</summary>
    ValueTask ClearAsync(CancellationToken cancellationToken);

    /// <summary>What the tier holds, and what became of the calls so far.</summary>
    TierUsage Usage { get; }
}
