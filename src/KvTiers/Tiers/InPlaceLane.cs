using KvTiers.Prefix;

namespace KvTiers.Tiers;

/// <summary>A lane over a store in memory: a block is taken where it lies, on the thread that offers it, without a queue.</summary>
/// <remarks>The store says that its calls complete at once. One that does not, after all, is late.</remarks>
internal sealed class InPlaceLane(TierOptions options, BlockTier tier, TimeProvider time, Action<int> written) : TierLane(options, tier, time)
{
    /// <inheritdoc/>
    public override TransferRate Rate { get; } = new(latencySeconds: 1e-5, bytesPerSecond: 4e9);

    /// <inheritdoc/>
    public override bool IsInPlace => true;

    /// <inheritdoc/>
    protected override bool Take(BlockHash hash, ReadOnlySpan<byte> block, in BlockAttributes attributes, StallBudget budget)
    {
        if (!Health.MayOffer)
        {
            Decline();
            return false;
        }

        StallBudget? outer = Budget;
        Budget = budget;
        try
        {
            using var memory = NativeMemoryManager.Over(block);
            ValueTask<bool> write = Tier.TryWriteAsync(hash, memory.Memory, attributes, CancellationToken.None);
            written(attributes.Tenant);
            if (write.IsCompleted)
                return write.Result;

            // It has the record, not the block, so it may end when it will.
            NoteLate(hash);
            return false;
        }
        finally
        {
            Budget = outer;
        }
    }

    /// <inheritdoc/>
    protected override Task<BlockAttributes?> ReadOneAsync(BlockHash hash, Memory<byte> block, CancellationToken cancellationToken) =>
        Tier.ReadAsync(hash, block, cancellationToken).AsTask();

    /// <inheritdoc/>
    protected override Task<T> BeginAsync<T>(Func<ValueTask<T>> call) => call().AsTask();

    /// <inheritdoc/>
    protected override int ReadsAhead(int atLeast, int atMost) => atLeast;

    /// <inheritdoc/>
    protected override ValueTask<HashSet<BlockHash>> CancelWritesAsync(BlockHash[] hashes, RemovalOutcome outcome, CancellationToken cancellationToken) =>
        ValueTask.FromResult(new HashSet<BlockHash>());
}
