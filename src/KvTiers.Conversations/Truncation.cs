namespace KvTiers.Conversations;

/// <summary>Whether one turn may leave messages out of its prompt to fit the model's context.</summary>
public enum Truncation
{
    /// <summary>It may: as the conversation's policy says, or the oldest turns where that refuses.</summary>
    Auto,

    /// <summary>It may not, whatever the conversation's policy says. What was left out before stays out.</summary>
    Disabled,
}
