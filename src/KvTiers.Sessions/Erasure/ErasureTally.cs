using KvTiers.Conversations;
using KvTiers.Tiers;

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
    public int Attempts { get; private set; }

    /// <summary>Whether no tier holds any of it.</summary>
    public bool IsWhole => _tiers.Values.All(tier => tier.Outcome == ErasureOutcome.Removed);

    /// <summary>Whether what was not removed so far will not be asked for again.</summary>
    public bool IsGivenUp { get; set; }

    /// <summary>Begins an attempt, in which each of these tiers says anew how far it is.</summary>
    public void Begin(IEnumerable<string> tiers)
    {
        Attempts++;
        foreach (string tier in tiers)
            _tiers[tier] = Of(tier) with { Outcome = ErasureOutcome.Removed };
    }

    /// <summary>Notes what a tier said of one path.</summary>
    public void Add(TierRemoval said)
    {
        TierErasure so = Of(said.Tier);
        ErasureOutcome outcome = OutcomeOf(said.State);
        _tiers[said.Tier] = so with { Blocks = so.Blocks + said.Blocks, Bytes = so.Bytes + said.Bytes, Outcome = outcome > so.Outcome ? outcome : so.Outcome };
    }

    private static ErasureOutcome OutcomeOf(ErasureState state) => state switch
    {
        ErasureState.Removed => ErasureOutcome.Removed,
        ErasureState.Pending => ErasureOutcome.Pending,
        _ => ErasureOutcome.Failed,
    };

    private TierErasure Of(string tier) => _tiers.GetValueOrDefault(tier) ?? new() { Tier = tier, Blocks = 0, Bytes = 0 };
}
