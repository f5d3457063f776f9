using System.Diagnostics.Metrics;
using KvTiers.Diagnostics;

namespace KvTiers.Tiers;

public sealed partial class TierStack
{
    private readonly long[] _promotedTokens;
    private readonly TierInstruments _instruments;
    private long _heldBlocks;
    private long _plannedBlocks;
    private long _loadedBlocks;

    /// <summary>Each tier's contents and counters, hottest first.</summary>
    public IReadOnlyList<TierUsage> Usage => [.. Enumerable.Range(0, _tiers.Length).Select(UsageOf)];

    /// <summary>What promotions have come to so far.</summary>
    public PromotionTotals Promotions =>
        new(Interlocked.Read(ref _heldBlocks), Interlocked.Read(ref _plannedBlocks), Interlocked.Read(ref _loadedBlocks));

    /// <summary>Bytes evicted from all tiers because a tenant was over its budget.</summary>
    public long BudgetEvictedBytes => _budget?.EvictedBytes ?? 0;

    internal Meter Meter => _instruments.Meter;

    private TierUsage UsageOf(int tier)
    {
        TierUsage usage = _tiers[tier].Tier.Usage;
        return usage with
        {
            IsDegraded = usage.IsDegraded || _writers[tier] is { IsFull: true },
            QueuedBlocks = _writers[tier]?.Pending ?? 0,
            DroppedBlocks = _writers[tier]?.Dropped ?? 0,
            PromotedTokens = Interlocked.Read(ref _promotedTokens[tier]),
        };
    }

    private PromotionResult Counted(PromotionResult result)
    {
        Interlocked.Add(ref _heldBlocks, result.HeldBlocks);
        Interlocked.Add(ref _plannedBlocks, result.PlannedBlocks);
        Interlocked.Add(ref _loadedBlocks, result.LoadedBlocks);
        for (int tier = 0; tier < _promotedTokens.Length; tier++)
        {
            Interlocked.Add(ref _promotedTokens[tier], result.TokensByTier[tier]);
        }

        return result;
    }
}
