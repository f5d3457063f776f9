namespace KvTiers.Conversations;

/// <summary>Why a turn computed what it computed.</summary>
public enum ExplanationReason
{
    /// <summary>There was no turn before.</summary>
    FirstTurn,

    /// <summary>Everything known was found; only what was added was computed.</summary>
    Appended,

    /// <summary>An earlier message changed; everything from the first differing token on was computed.</summary>
    Edited,

    /// <summary>The log was unchanged, but its blocks had been evicted.</summary>
    Evicted,

    /// <summary>The log was unchanged, but another process computed it: the server restarted or the conversation moved.</summary>
    Restarted,

    /// <summary>The turn asked for no cache.</summary>
    CacheOff,

    /// <summary>The context was full: messages were left out of the prompt, and everything behind them was computed.</summary>
    Cut,
}
