using KvTiers.Prefix;
using KvTiers.Tiers;

namespace KvTiers.Tests.Tiers;

/// <summary>A store in which a test does something just before a record is written, on the thread that writes it.</summary>
internal sealed class HookedStore(IRecordStore inner) : IRecordStore
{
    public Action? BeforeWrite { get; set; }

    public int RecordBytes => inner.RecordBytes;

    public long CapacityBytes => inner.CapacityBytes;

    public long UsedBytes => inner.UsedBytes;

    public long Count => inner.Count;

    public StoreTotals Totals => inner.Totals;

    public bool IsDegraded => inner.IsDegraded;

    public ValueTask<int> CountLeadingAsync(ReadOnlyMemory<BlockHash> chain, CancellationToken cancellationToken) =>
        inner.CountLeadingAsync(chain, cancellationToken);

    public ValueTask<bool> TryReadAsync(BlockHash hash, Memory<byte> record, CancellationToken cancellationToken) =>
        inner.TryReadAsync(hash, record, cancellationToken);

    public ValueTask<bool> TryWriteAsync(BlockHash hash, ReadOnlyMemory<byte> record, BlockAttributes attributes, CancellationToken cancellationToken)
    {
        BeforeWrite?.Invoke();
        return inner.TryWriteAsync(hash, record, attributes, cancellationToken);
    }

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
