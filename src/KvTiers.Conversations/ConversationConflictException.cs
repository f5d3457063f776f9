namespace KvTiers.Conversations;

/// <summary>The conversation is not at the version that the change was made for, or its id is taken. Nothing was changed.</summary>
public sealed class ConversationConflictException : Exception
{
    /// <summary>For <paramref name="key"/>, which stands at <paramref name="actualVersion"/>.</summary>
    public ConversationConflictException(ConversationKey key, string message, long? expectedVersion = null, long? actualVersion = null)
        : base(message)
    {
        Key = key;
        ExpectedVersion = expectedVersion;
        ActualVersion = actualVersion;
    }

    /// <summary>The conversation.</summary>
    public ConversationKey Key { get; }

    /// <summary>The version that the change was made for; null when it named none.</summary>
    public long? ExpectedVersion { get; }

    /// <summary>The version that was found; null when unknown.</summary>
    public long? ActualVersion { get; }
}
