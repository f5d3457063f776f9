using KvTiers.Prefix;
using KvTiers.Tiers;

namespace KvTiers.Tests.Tiers;

/// <summary>A device by a clock of its own: what is read side by side waits for the first block once, then each block takes its time. Questions take none.</summary>
internal sealed class PacedStore(IRecordStore inner, VirtualTime time) : WrappedStore(inner)
{
    private readonly Lock _lock = new();
    private readonly IRecordStore _device = inner;
    private bool _isReading;

    public TimeSpan Latency { get; set; } = TimeSpan.FromMilliseconds(0.4);

    public TimeSpan PerBlock { get; set; } = TimeSpan.FromMilliseconds(0.05);

    /// <summary>Every call but a read: the next read is a load's first.</summary>
    protected override void Enter()
    {
        lock (_lock)
            _isReading = false;
    }

    public override ValueTask<bool> TryReadAsync(BlockHash hash, Memory<byte> record, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            time.Advance(_isReading ? PerBlock : Latency + PerBlock);
            _isReading = true;
        }

        return _device.TryReadAsync(hash, record, cancellationToken);
    }
}
