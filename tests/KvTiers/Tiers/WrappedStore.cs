using KvTiers.Prefix;
using KvTiers.Tiers;

namespace KvTiers.Tests.Tiers;

/// <summary>A store that does what another does; a test changes what it wants to.</summary>
internal abstract class WrappedStore(IRecordStore inner) : IRecordStore
{
    public int RecordBytes => inner.RecordBytes;

    public long CapacityBytes => inner.CapacityBytes;

    public long UsedBytes => inner.UsedBytes;

    public long Count => inner.Count;

    public StoreTotals Totals => inner.Totals;

    public bool IsDegraded => inner.IsDegraded;

    public ValueTask<int> CountLeadingAsync(ReadOnlyMemory<BlockHash> chain, CancellationToken cancellationToken) =>
        inner.CountLeadingAsync(chain, cancellationToken);

    public virtual ValueTask<bool> TryReadAsync(BlockHash hash, Memory<byte> record, CancellationToken cancellationToken) =>
        inner.TryReadAsync(hash, record, cancellationToken);

    public virtual ValueTask<bool> TryWriteAsync(BlockHash hash, ReadOnlyMemory<byte> record, BlockAttributes attributes, CancellationToken cancellationToken) =>
        inner.TryWriteAsync(hash, record, attributes, cancellationToken);

    public ValueTask<int> RemoveAsync(ReadOnlyMemory<BlockHash> hashes, CancellationToken cancellationToken) => inner.RemoveAsync(hashes, cancellationToken);

    public ValueTask<int> ForgetAsync(ReadOnlyMemory<BlockHash> hashes, CancellationToken cancellationToken) => inner.ForgetAsync(hashes, cancellationToken);

    public ValueTask<int> ExpireAsync(ReadOnlyMemory<BlockHash> hashes, DateTimeOffset at, CancellationToken cancellationToken) =>
        inner.ExpireAsync(hashes, at, cancellationToken);

    public ValueTask<long> CountAsync(int tenant, CancellationToken cancellationToken) => inner.CountAsync(tenant, cancellationToken);

    public ValueTask<int> EvictAsync(int tenant, int atMost, CancellationToken cancellationToken) => inner.EvictAsync(tenant, atMost, cancellationToken);

    public ValueTask<long> ResizeAsync(long capacityBytes, CancellationToken cancellationToken) => inner.ResizeAsync(capacityBytes, cancellationToken);

    public ValueTask ClearAsync(CancellationToken cancellationToken) => inner.ClearAsync(cancellationToken);

    public ValueTask DisposeAsync() => inner.DisposeAsync();
}
