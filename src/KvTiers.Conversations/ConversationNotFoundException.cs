namespace KvTiers.Conversations;

/// <summary>There is no conversation under this key.</summary>
public sealed class ConversationNotFoundException : Exception
{
    /// <summary>For the conversation <paramref name="key"/>.</summary>
    public ConversationNotFoundException(ConversationKey key)
        : base($"There is no conversation '{key.Id}'.") => Key = key;

    /// <summary>The key that was asked for.</summary>
    public ConversationKey Key { get; }
}
