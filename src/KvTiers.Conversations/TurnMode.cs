namespace KvTiers.Conversations;

/// <summary>What the messages of a turn mean.</summary>
public enum TurnMode
{
    /// <summary>They are added to the conversation.</summary>
    Append,

    /// <summary>They are the whole conversation, which is compared with the log; the longest common token prefix is kept.</summary>
    History,
}
