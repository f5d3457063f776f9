namespace KvTiers.Sessions.Changes;

/// <summary>The conversation was pinned or unpinned.</summary>
public sealed record PinChanged : ConversationChange
{
    /// <summary>Until when; <see cref="DateTimeOffset.MaxValue"/> = without end; null = not pinned.</summary>
    public required DateTimeOffset? Until { get; init; }
}
