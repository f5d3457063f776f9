namespace KvTiers;

/// <summary>What a cache has done since it was made.</summary>
public record struct CacheTotals
{
    /// <summary>Tokens found when leases were taken or rematched.</summary>
    public long HitTokens { get; internal set; }

    /// <summary>Tokens asked for and not found when leases were taken.</summary>
    public long MissedTokens { get; internal set; }

    /// <summary>Full blocks that became immutable and matchable.</summary>
    public long SealedBlocks { get; internal set; }

    /// <summary>Blocks freed at sealing because an identical one stood already.</summary>
    public long DuplicateBlocks { get; internal set; }

    /// <summary>Partial last blocks made matchable.</summary>
    public long PublishedBlocks { get; internal set; }

    /// <summary>Shared blocks copied before a sequence wrote on in them.</summary>
    public long CopiedBlocks { get; internal set; }

    /// <summary>Blocks marked superseded.</summary>
    public long SupersededBlocks { get; internal set; }

    /// <summary>Superseded blocks evicted.</summary>
    public long EvictedSupersededBlocks { get; internal set; }

    /// <summary>Expired blocks evicted.</summary>
    public long EvictedExpiredBlocks { get; internal set; }

    /// <summary>Live blocks evicted as the least recently used.</summary>
    public long EvictedLiveBlocks { get; internal set; }

    /// <summary>Blocks erased on purpose.</summary>
    public long ErasedBlocks { get; internal set; }

    /// <summary>Leases forked.</summary>
    public long Forks { get; internal set; }

    /// <summary>Reservations refused because every block was in use.</summary>
    public long RefusedReservations { get; internal set; }

    /// <summary>Times that the recipient threw, which costs its copies and nothing else.</summary>
    public long RecipientFaults { get; internal set; }

    /// <summary>Blocks evicted for any cause.</summary>
    public readonly long EvictedBlocks => EvictedSupersededBlocks + EvictedExpiredBlocks + EvictedLiveBlocks;
}
