using KvTiers.Prefix;
using KvTiers.Tiers;

namespace KvTiers.Tests.Tiers;

/// <summary>A store whose writes wait at a gate, on the thread that writes.</summary>
internal sealed class GatedStore(IRecordStore inner) : WrappedStore(inner)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private readonly ManualResetEventSlim _gate = new(initialState: true);
    private readonly ManualResetEventSlim _reached = new();

    public void Close() => _gate.Reset();

    public void Open() => _gate.Set();

    /// <summary>Returns when a write has come to the gate.</summary>
    public void AwaitWrite() => Assert.True(_reached.Wait(Patience));

    public override ValueTask<bool> TryWriteAsync(BlockHash hash, ReadOnlyMemory<byte> record, BlockAttributes attributes, CancellationToken cancellationToken)
    {
        _reached.Set();
        Assert.True(_gate.Wait(Patience, cancellationToken));
        return base.TryWriteAsync(hash, record, attributes, cancellationToken);
    }
}
