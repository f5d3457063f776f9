namespace KvTiers.Conversations;

/// <summary>One generated token.</summary>
public sealed record TurnToken : TurnEvent
{
    /// <summary>Its id in the model's vocabulary.</summary>
    public required int TokenId { get; init; }

    /// <summary>Text that is certain now; empty while a character or a possible stop string is incomplete.</summary>
    public required string Text { get; init; }

    /// <summary>Its log probability; null when not asked for.</summary>
    public TokenLogProbView? LogProb { get; init; }
}
