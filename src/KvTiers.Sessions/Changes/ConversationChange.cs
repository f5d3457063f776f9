namespace KvTiers.Sessions.Changes;

/// <summary>One stored change: what <see cref="ConversationState.Apply"/> turns one version into the next with.</summary>
public abstract record ConversationChange
{
    /// <summary>When it happened.</summary>
    public required DateTimeOffset At { get; init; }
}
