namespace KvTiers.Sessions;

/// <summary>What a deletion removed from one tier.</summary>
public sealed record TierErasure
{
    /// <summary>The tier's name: <c>hot</c>, …</summary>
    public required string Tier { get; init; }

    /// <summary>Blocks removed so far.</summary>
    public required int Blocks { get; init; }

    /// <summary>Bytes removed so far.</summary>
    public required long Bytes { get; init; }

    /// <summary>Whether that is all of them.</summary>
    public ErasureOutcome Outcome { get; init; }
}
