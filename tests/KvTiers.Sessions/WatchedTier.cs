using KvTiers.Prefix;
using KvTiers.Tiers;

namespace KvTiers.Sessions.Tests;

/// <summary>A tier that lets a test see what is removed or left to expire, and make that fail, hang, or be in vain.</summary>
internal sealed class WatchedTier(IBlockTier inner) : IBlockTier
{
    private int _removals;

    /// <summary>Calls that remove blocks for good, or let them expire.</summary>
    public int Removals => Volatile.Read(ref _removals);

    /// <summary>Runs before each of them; what it throws the call throws.</summary>
    public Func<Task>? BeforeRemoval { get; set; }

    /// <summary>While true the tier is left alone: it removes nothing, throws nothing, and says that it is degraded.</summary>
    public bool IsAway { get; set; }

    public string Name => inner.Name;

    public bool IsLossless => inner.IsLossless;

    public int Loss => inner.Loss;

    public TierUsage Usage => inner.Usage with { IsDegraded = IsAway || inner.Usage.IsDegraded };

    public ValueTask<int> CountLeadingAsync(ReadOnlyMemory<BlockHash> chain, CancellationToken cancellationToken) => inner.CountLeadingAsync(chain, cancellationToken);

    public ValueTask<bool> TryReadAsync(BlockHash hash, Memory<byte> block, CancellationToken cancellationToken) => inner.TryReadAsync(hash, block, cancellationToken);

    public ValueTask<bool> TryWriteAsync(BlockHash hash, ReadOnlyMemory<byte> block, BlockAttributes attributes, CancellationToken cancellationToken) =>
        inner.TryWriteAsync(hash, block, attributes, cancellationToken);

    public async ValueTask<int> RemoveAsync(ReadOnlyMemory<BlockHash> hashes, CancellationToken cancellationToken)
    {
        await WatchAsync();
        return IsAway ? 0 : await inner.RemoveAsync(hashes, cancellationToken);
    }

    public ValueTask<int> ForgetAsync(ReadOnlyMemory<BlockHash> hashes, CancellationToken cancellationToken) => inner.ForgetAsync(hashes, cancellationToken);

    public async ValueTask<int> ExpireAsync(ReadOnlyMemory<BlockHash> hashes, DateTimeOffset at, CancellationToken cancellationToken)
    {
        await WatchAsync();
        return IsAway ? 0 : await inner.ExpireAsync(hashes, at, cancellationToken);
    }

    public ValueTask<long> BytesOfAsync(int tenant, CancellationToken cancellationToken) => inner.BytesOfAsync(tenant, cancellationToken);

    public ValueTask<long> EvictAsync(int tenant, long byteCount, CancellationToken cancellationToken) => inner.EvictAsync(tenant, byteCount, cancellationToken);

    public ValueTask<long> ResizeAsync(long capacityBytes, CancellationToken cancellationToken) => inner.ResizeAsync(capacityBytes, cancellationToken);

    public ValueTask ClearAsync(CancellationToken cancellationToken) => inner.ClearAsync(cancellationToken);

    public ValueTask DisposeAsync() => inner.DisposeAsync();

    private Task WatchAsync()
    {
        Interlocked.Increment(ref _removals);
        return BeforeRemoval?.Invoke() ?? Task.CompletedTask;
    }
}
