using KvTiers.Prefix;
using KvTiers.Tiers;

namespace KvTiers.Tests.Tiers;

/// <summary>A store that does what another does; a test changes what it wants to, for all calls (<see cref="EnterAsync"/>) or for one.</summary>
internal abstract class WrappedStore(IRecordStore inner) : IRecordStore
{
    public int RecordBytes => inner.RecordBytes;

    public long CapacityBytes => inner.CapacityBytes;

    public long UsedBytes => inner.UsedBytes;

    public long Count => inner.Count;

    public StoreTotals Totals => inner.Totals;

    public bool IsDegraded => inner.IsDegraded;

    public string? Trouble => inner.Trouble;

    public bool IsInPlace => inner.IsInPlace;

    public virtual Action<BlockHash, BlockAttributes, ReadOnlyMemory<byte>>? Evicting
    {
        get => inner.Evicting;
        set => inner.Evicting = value;
    }

    public ValueTask<int> CountLeadingAsync(ReadOnlyMemory<BlockHash> chain, CancellationToken cancellationToken) =>
        CallAsync(() => inner.CountLeadingAsync(chain, cancellationToken));

    public virtual ValueTask<bool> TryReadAsync(BlockHash hash, Memory<byte> record, CancellationToken cancellationToken) =>
        CallAsync(() => inner.TryReadAsync(hash, record, cancellationToken));

    public virtual ValueTask<bool> TryWriteAsync(BlockHash hash, ReadOnlyMemory<byte> record, BlockAttributes attributes, CancellationToken cancellationToken) =>
        CallAsync(() => inner.TryWriteAsync(hash, record, attributes, cancellationToken));

    public ValueTask<int> RemoveAsync(ReadOnlyMemory<BlockHash> hashes, CancellationToken cancellationToken) =>
        CallAsync(() => inner.RemoveAsync(hashes, cancellationToken));

    public virtual ValueTask<int> ForgetAsync(ReadOnlyMemory<BlockHash> hashes, CancellationToken cancellationToken) =>
        CallAsync(() => inner.ForgetAsync(hashes, cancellationToken));

    public ValueTask<int> ExpireAsync(ReadOnlyMemory<BlockHash> hashes, DateTimeOffset at, CancellationToken cancellationToken) =>
        CallAsync(() => inner.ExpireAsync(hashes, at, cancellationToken));

    public ValueTask<long> CountAsync(int tenant, CancellationToken cancellationToken) => CallAsync(() => inner.CountAsync(tenant, cancellationToken));

    public ValueTask<int> EvictAsync(int tenant, int atMost, CancellationToken cancellationToken) =>
        CallAsync(() => inner.EvictAsync(tenant, atMost, cancellationToken));

    public ValueTask<long> ResizeAsync(long capacityBytes, CancellationToken cancellationToken) =>
        CallAsync(() => inner.ResizeAsync(capacityBytes, cancellationToken));

    public async ValueTask ClearAsync(CancellationToken cancellationToken) => await CallAsync(async () =>
    {
        await inner.ClearAsync(cancellationToken);
        return true;
    });

    public async ValueTask FlushAsync(CancellationToken cancellationToken) => await CallAsync(async () =>
    {
        await inner.FlushAsync(cancellationToken);
        return true;
    });

    public ValueTask DisposeAsync() => inner.DisposeAsync();

    /// <summary>Before every call. What it throws is the call's.</summary>
    protected virtual void Enter()
    {
    }

    /// <summary>Before every call, which goes on when the task ends; null for at once.</summary>
    protected virtual Task? EnterAsync() => null;

    // At once where nothing holds it up, as the store itself is.
    private ValueTask<T> CallAsync<T>(Func<ValueTask<T>> call)
    {
        Enter();
        return EnterAsync() is { } gate ? AfterAsync(gate, call) : call();
    }

    private static async ValueTask<T> AfterAsync<T>(Task gate, Func<ValueTask<T>> call)
    {
        await gate;
        return await call();
    }
}
