namespace KvTiers.Conversations;

/// <summary>Whether an answer calls functions.</summary>
public enum ToolChoice
{
    /// <summary>The model decides.</summary>
    Auto,

    /// <summary>It calls none. The model still sees the functions, so that the prompt stays the same.</summary>
    None,

    /// <summary>It is at least one call and nothing else.</summary>
    Required,
}
