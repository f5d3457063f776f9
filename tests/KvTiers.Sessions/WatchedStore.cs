using KvTiers.Prefix;
using KvTiers.Tiers;

namespace KvTiers.Sessions.Tests;

/// <summary>A store that lets a test see what is removed or left to expire, and make that fail, hang, or be in vain.</summary>
internal sealed class WatchedStore(IRecordStore inner) : IRecordStore
{
    private int _removals;

    /// <summary>Calls that remove blocks for good, or let them expire.</summary>
    public int Removals => Volatile.Read(ref _removals);

    /// <summary>Runs before each of them; what it throws the call throws.</summary>
    public Func<Task>? BeforeRemoval { get; set; }

    /// <summary>While true the store is left alone: it removes nothing, and says that it is degraded.</summary>
    public bool IsAway { get; set; }

    public int RecordBytes => inner.RecordBytes;

    public long CapacityBytes => inner.CapacityBytes;

    public long UsedBytes => inner.UsedBytes;

    public long Count => inner.Count;

    public StoreTotals Totals => inner.Totals;

    public bool IsDegraded => IsAway || inner.IsDegraded;

    public ValueTask<int> CountLeadingAsync(ReadOnlyMemory<BlockHash> chain, CancellationToken cancellationToken) => inner.CountLeadingAsync(chain, cancellationToken);

    public ValueTask<bool> TryReadAsync(BlockHash hash, Memory<byte> record, CancellationToken cancellationToken) => inner.TryReadAsync(hash, record, cancellationToken);

    public ValueTask<bool> TryWriteAsync(BlockHash hash, ReadOnlyMemory<byte> record, BlockAttributes attributes, CancellationToken cancellationToken) =>
        inner.TryWriteAsync(hash, record, attributes, cancellationToken);

    public async ValueTask<int> RemoveAsync(ReadOnlyMemory<BlockHash> hashes, CancellationToken cancellationToken)
    {
        await WatchAsync();
        return await inner.RemoveAsync(hashes, cancellationToken);
    }

    public ValueTask<int> ForgetAsync(ReadOnlyMemory<BlockHash> hashes, CancellationToken cancellationToken) => inner.ForgetAsync(hashes, cancellationToken);

    public async ValueTask<int> ExpireAsync(ReadOnlyMemory<BlockHash> hashes, DateTimeOffset at, CancellationToken cancellationToken)
    {
        await WatchAsync();
        return await inner.ExpireAsync(hashes, at, cancellationToken);
    }

    public ValueTask<long> CountAsync(int tenant, CancellationToken cancellationToken) => inner.CountAsync(tenant, cancellationToken);

    public ValueTask<int> EvictAsync(int tenant, int atMost, CancellationToken cancellationToken) => inner.EvictAsync(tenant, atMost, cancellationToken);

    public ValueTask<long> ResizeAsync(long capacityBytes, CancellationToken cancellationToken) => inner.ResizeAsync(capacityBytes, cancellationToken);

    public ValueTask ClearAsync(CancellationToken cancellationToken) => inner.ClearAsync(cancellationToken);

    public ValueTask DisposeAsync() => inner.DisposeAsync();

    private async Task WatchAsync()
    {
        Interlocked.Increment(ref _removals);
        if (BeforeRemoval?.Invoke() is { } before)
            await before;
        if (IsAway)
            throw new TierUnavailableException("The tier is away.");
    }
}
