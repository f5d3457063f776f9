namespace KvTiers.Sessions.Erasure;

/// <summary>What the attempts of one erasure have come to, tier by tier. Counts add up; the outcome is the last attempt's.</summary>
internal sealed class ErasureTally
{
    private readonly Dictionary<string, TierErasure> _tiers = [];

    /// <summary>Each tier that was asked, in the order in which they were first asked.</summary>
    public IReadOnlyList<TierErasure> Tiers => [.. _tiers.Values];

    /// <summary>Hot blocks of the last path that stay because something else uses them.</summary>
    public int SharedBlocks { get; set; }

    /// <summary>How often the tiers were asked.</summary>
    public int Attempts { get; set; }

    /// <summary>Whether no tier holds any of it.</summary>
    public bool IsWhole => _tiers.Values.All(tier => tier.Outcome == ErasureOutcome.Removed);

    /// <summary>Notes blocks that left a tier.</summary>
    public void Add(string tier, int blocks, long bytes)
    {
        TierErasure so = Of(tier);
        _tiers[tier] = so with { Blocks = so.Blocks + blocks, Bytes = so.Bytes + bytes };
    }

    /// <summary>Notes how an attempt ended for a tier.</summary>
    public void Set(string tier, ErasureOutcome outcome) => _tiers[tier] = Of(tier) with { Outcome = outcome };

    /// <summary>What was not removed so far will not be.</summary>
    public void GiveUp()
    {
        foreach (TierErasure tier in Tiers.Where(tier => tier.Outcome == ErasureOutcome.Pending))
            Set(tier.Tier, ErasureOutcome.Failed);
    }

    private TierErasure Of(string tier) => _tiers.GetValueOrDefault(tier) ?? new() { Tier = tier, Blocks = 0, Bytes = 0 };
}
