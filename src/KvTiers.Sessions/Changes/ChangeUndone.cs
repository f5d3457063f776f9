namespace KvTiers.Sessions.Changes;

/// <summary>The log is again what it was before the last change that can be undone.</summary>
public sealed record ChangeUndone : ConversationChange;
