using KvTiers.Prefix;
using KvTiers.Tiers;

namespace KvTiers.Tests.Tiers;

/// <summary>A tier whose reads and writes wait at a gate; its reads are counted.</summary>
internal sealed class GatedTier(IBlockTier inner) : IBlockTier
{
    private readonly TaskCompletionSource _firstRead = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private TaskCompletionSource _gate = Opened();
    private int _reads;

    public Task FirstRead => _firstRead.Task;

    public int Reads => _reads;

    public string Name => inner.Name;

    public bool IsLossless => inner.IsLossless;

    public int Loss => inner.Loss;

    public TierUsage Usage => inner.Usage;

    public void Close() => _gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

    public void Open() => _gate.SetResult();

    public async ValueTask<bool> TryReadAsync(BlockHash hash, Memory<byte> block, CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref _reads);
        _firstRead.TrySetResult();
        await _gate.Task;
        return await inner.TryReadAsync(hash, block, cancellationToken);
    }

    public ValueTask<int> CountLeadingAsync(ReadOnlyMemory<BlockHash> chain, CancellationToken cancellationToken) =>
        inner.CountLeadingAsync(chain, cancellationToken);

    public async ValueTask<bool> TryWriteAsync(BlockHash hash, ReadOnlyMemory<byte> block, BlockAttributes attributes, CancellationToken cancellationToken)
    {
        await _gate.Task;
        return await inner.TryWriteAsync(hash, block, attributes, cancellationToken);
    }

    public ValueTask<int> RemoveAsync(ReadOnlyMemory<BlockHash> hashes, CancellationToken cancellationToken) => inner.RemoveAsync(hashes, cancellationToken);

    public ValueTask<int> ForgetAsync(ReadOnlyMemory<BlockHash> hashes, CancellationToken cancellationToken) => inner.ForgetAsync(hashes, cancellationToken);

    public ValueTask<int> ExpireAsync(ReadOnlyMemory<BlockHash> hashes, DateTimeOffset at, CancellationToken cancellationToken) =>
        inner.ExpireAsync(hashes, at, cancellationToken);

    public ValueTask<long> BytesOfAsync(int tenant, CancellationToken cancellationToken) => inner.BytesOfAsync(tenant, cancellationToken);

    public ValueTask<long> EvictAsync(int tenant, long byteCount, CancellationToken cancellationToken) => inner.EvictAsync(tenant, byteCount, cancellationToken);

    public ValueTask<long> ResizeAsync(long capacityBytes, CancellationToken cancellationToken) => inner.ResizeAsync(capacityBytes, cancellationToken);

    public ValueTask ClearAsync(CancellationToken cancellationToken) => inner.ClearAsync(cancellationToken);

    public ValueTask DisposeAsync() => inner.DisposeAsync();

    private static TaskCompletionSource Opened()
    {
        var gate = new TaskCompletionSource();
        gate.SetResult();
        return gate;
    }
}
