namespace KvTiers.Conversations;

/// <summary>A token's log probability as the wire carries it.</summary>
public sealed record TokenLogProbView
{
    /// <summary>Id in the model's vocabulary.</summary>
    public required int TokenId { get; init; }

    /// <summary>The token's own text.</summary>
    public required string Text { get; init; }

    /// <summary>Natural logarithm of its probability.</summary>
    public required double LogProb { get; init; }

    /// <summary>The likeliest tokens at this position, likeliest first; empty for an alternative itself.</summary>
    public IReadOnlyList<TokenLogProbView> Top { get; init; } = [];
}
