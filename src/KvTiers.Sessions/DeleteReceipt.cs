namespace KvTiers.Sessions;

/// <summary>What the deletion of a conversation removed.</summary>
public sealed record DeleteReceipt
{
    /// <summary>The conversation's id.</summary>
    public required string Conversation { get; init; }

    /// <summary>What each tier lost: the blocks that only this conversation used.</summary>
    public required IReadOnlyList<TierErasure> Tiers { get; init; }

    /// <summary>Hot blocks that stay because something else uses them.</summary>
    public required int BlocksShared { get; init; }

    /// <summary>Whether what was stored could not be read. Blocks that are then not known to be its own stay until their room is needed.</summary>
    public bool WasDamaged { get; init; }
}
