using KvTiers.Prefix;
using KvTiers.Tiers;

namespace KvTiers.Tests.Tiers;

/// <summary>A store whose reads and writes are promised until a gate opens; its reads are counted.</summary>
internal sealed class CountedStore(IRecordStore inner) : WrappedStore(inner)
{
    private readonly TaskCompletionSource _firstRead = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private TaskCompletionSource _gate = Opened();
    private int _reads;

    public Task FirstRead => _firstRead.Task;

    public int Reads => _reads;

    public void Close() => _gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

    public void Open() => _gate.SetResult();

    public override async ValueTask<bool> TryReadAsync(BlockHash hash, Memory<byte> record, CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref _reads);
        _firstRead.TrySetResult();
        await _gate.Task;
        return await base.TryReadAsync(hash, record, cancellationToken);
    }

    public override async ValueTask<bool> TryWriteAsync(BlockHash hash, ReadOnlyMemory<byte> record, BlockAttributes attributes, CancellationToken cancellationToken)
    {
        await _gate.Task;
        return await base.TryWriteAsync(hash, record, attributes, cancellationToken);
    }

    private static TaskCompletionSource Opened()
    {
        var gate = new TaskCompletionSource();
        gate.SetResult();
        return gate;
    }
}
