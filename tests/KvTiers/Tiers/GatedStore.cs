using KvTiers.Prefix;
using KvTiers.Tests.Shared;
using KvTiers.Tiers;

namespace KvTiers.Tests.Tiers;

/// <summary>A store whose writes wait at a gate, on the thread that writes.</summary>
internal sealed class GatedStore(IRecordStore inner) : WrappedStore(inner)
{
    private readonly ManualResetEventSlim _gate = new(initialState: true);
    private readonly ManualResetEventSlim _reached = new();

    public void Close() => _gate.Reset();

    public void Open() => _gate.Set();

    /// <summary>Returns when a write has come to the gate.</summary>
    public void AwaitWrite() => Assert.True(_reached.Wait(HangLimit.Time));

    public override ValueTask<bool> TryWriteAsync(BlockHash hash, ReadOnlyMemory<byte> record, BlockAttributes attributes, CancellationToken cancellationToken)
    {
        _reached.Set();
        Assert.True(_gate.Wait(HangLimit.Time, cancellationToken));
        return base.TryWriteAsync(hash, record, attributes, cancellationToken);
    }
}
