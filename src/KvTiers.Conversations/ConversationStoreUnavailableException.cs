namespace KvTiers.Conversations;

/// <summary>The conversation store did not answer in time, or took nothing. What was acknowledged is on it; the same call may succeed later.</summary>
/// <remarks>It is not known whether a write was made; the version that is read next tells.</remarks>
public sealed class ConversationStoreUnavailableException : IOException
{
    /// <summary>For a store that <paramref name="message"/> names, with what went wrong.</summary>
    public ConversationStoreUnavailableException(string message, Exception? innerException = null)
        : base(message, innerException)
    {
    }
}
