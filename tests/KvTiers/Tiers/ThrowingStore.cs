using KvTiers.Tiers;

namespace KvTiers.Tests.Tiers;

/// <summary>A store that throws what no store should, on every call, from when it is told to until it is well again. Counts that.</summary>
internal sealed class ThrowingStore(IRecordStore inner) : WrappedStore(inner)
{
    private static readonly Func<Exception>[] Faults =
    [
        () => new InvalidOperationException("thrown by a store"),
        () => new NullReferenceException("thrown by a store"),
        () => new OperationCanceledException("thrown by a store"),
        () => new IOException("thrown by a store"),
        () => new AggregateException("thrown by a store"),
    ];

    private int _thrown;

    /// <summary>Whether calls throw.</summary>
    public bool Throws { get; set; }

    public int Thrown => _thrown;

    protected override void Enter()
    {
        if (Throws)
            throw Faults[(Interlocked.Increment(ref _thrown) - 1) % Faults.Length]();
    }
}
