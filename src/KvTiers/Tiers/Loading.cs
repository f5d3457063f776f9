using KvTiers.Prefix;

namespace KvTiers.Tiers;

/// <summary>One promotion on its way.</summary>
/// <param name="lease">What is filled.</param>
/// <param name="path">The whole sequence.</param>
/// <param name="lanes">How many lanes there are.</param>
/// <param name="cancellation">Ends it; what has arrived stays in the lease.</param>
internal sealed class Loading(BlockLease lease, BlockPath path, int lanes, CancellationToken cancellation)
{
    public BlockLease Lease { get; } = lease;

    public BlockPath Path { get; } = path;

    public CancellationToken Cancellation { get; } = cancellation;

    /// <summary>Tokens that each lane has brought.</summary>
    public int[] Tokens { get; } = new int[lanes];

    /// <summary>The lane of which it loads a few blocks though that seems not worth it.</summary>
    public TierLane? Tried { get; set; }

    /// <summary>Whether it ended for want of hot blocks.</summary>
    public bool LackedRoom { get; set; }
}
