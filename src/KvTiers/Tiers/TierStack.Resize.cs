namespace KvTiers.Tiers;

public sealed partial class TierStack
{
    /// <summary>Changes a tier's capacity while it serves. Shrinking evicts in the tier's order; what a tier in memory evicts goes to the tier below.</summary>
    /// <param name="tier">One of <see cref="Names"/>.</param>
    /// <param name="capacityBytes">The wanted capacity, at least one block of the tier.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>The tier afterwards; its capacity is more than wanted while blocks are being read.</returns>
    /// <exception cref="ArgumentException">There is no such tier, or the capacity is less than a block.</exception>
    public async ValueTask<TierUsage> ResizeAsync(string tier, long capacityBytes, CancellationToken cancellationToken)
    {
        int index = IndexOf(tier);
        ArgumentOutOfRangeException.ThrowIfLessThan(capacityBytes, UsageOf(index).BytesPerBlock);
        await _tiers[index].Tier.ResizeAsync(capacityBytes, cancellationToken).ConfigureAwait(false);
        return UsageOf(index);
    }

    /// <summary>Forgets every block of a tier, those that wait to be written too. Nothing is handed on.</summary>
    /// <param name="tier">One of <see cref="Names"/>. A shared tier is cleared for all who share it.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>The tier afterwards.</returns>
    /// <exception cref="ArgumentException">There is no such tier.</exception>
    public async ValueTask<TierUsage> ClearAsync(string tier, CancellationToken cancellationToken)
    {
        int index = IndexOf(tier);
        _writers[index]?.ForgetAll();
        await _tiers[index].Tier.ClearAsync(cancellationToken).ConfigureAwait(false);
        return UsageOf(index);
    }
}
