namespace KvTiers.Sessions;

/// <summary>What a deletion removed from one tier.</summary>
public sealed record TierErasure
{
    /// <summary>The tier's name: <c>hot</c>, …</summary>
    public required string Tier { get; init; }

    /// <summary>Blocks removed.</summary>
    public required int Blocks { get; init; }

    /// <summary>Bytes removed.</summary>
    public required long Bytes { get; init; }
}
