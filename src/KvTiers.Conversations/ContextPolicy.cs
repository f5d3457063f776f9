namespace KvTiers.Conversations;

/// <summary>What is done when a conversation has outgrown the model's context: when its prompt and the room for the answer do not fit any more.</summary>
/// <remarks>
/// Whole messages go, and at least the newest turn stays. System messages and turns that hold a pinned message always stay. What goes is no longer part of the
/// prompt; the conversation keeps it, and shows it.
/// </remarks>
public enum ContextPolicy
{
    /// <summary>Nothing goes: a prompt that does not fit is refused, and an answer ends where the context ends.</summary>
    Refuse,

    /// <summary>The oldest turns go.</summary>
    DropOldest,

    /// <summary>The first turn and the newest ones stay; those between them go.</summary>
    KeepEnds,

    /// <summary>The oldest turns go, and the model's own summary of them stands in their place. Where none can be made, as <see cref="DropOldest"/>.</summary>
    Summarize,
}
