namespace KvTiers.Conversations;

/// <summary>What a deletion removed from one tier.</summary>
public sealed record TierErasure
{
    /// <summary>The tier's name: <c>hot</c>, …</summary>
    public required string Tier { get; init; }

    /// <summary>Blocks removed so far.</summary>
    public required int Blocks { get; init; }

    /// <summary>Bytes removed so far.</summary>
    public required long Bytes { get; init; }

    /// <summary>Whether that is all of them. A tier that does not answer now, or answered with an error, is asked again until it holds none.</summary>
    public ErasureOutcome Outcome { get; init; }
}
