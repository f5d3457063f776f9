namespace KvTiers.Conversations;

/// <summary>What the deletion of a conversation removed.</summary>
public sealed record DeleteReceipt
{
    /// <summary>The conversation's id.</summary>
    public required string Conversation { get; init; }

    /// <summary>What each tier lost: the blocks that only this conversation used.</summary>
    public required IReadOnlyList<TierErasure> Tiers { get; init; }

    /// <summary>Whether no tier holds any of them now. Else the deletion goes on by itself; deleting the conversation again tells how far it is.</summary>
    public bool IsWhole => Tiers.All(tier => tier.Outcome == ErasureOutcome.Removed);

    /// <summary>
    /// Whether it was tried for as long as it is worth it: what is not removed is not asked for again, and goes in its tier's eviction order, or when its time to
    /// live ends.
    /// </summary>
    public bool IsGivenUp { get; init; }

    /// <summary>How often the tiers were asked.</summary>
    public int Attempts { get; init; } = 1;

    /// <summary>Hot blocks that stay because something else uses them.</summary>
    public required int BlocksShared { get; init; }

    /// <summary>Whether what was stored could not be read. Blocks that are then not known to be its own stay until their room is needed.</summary>
    public bool WasDamaged { get; init; }
}
