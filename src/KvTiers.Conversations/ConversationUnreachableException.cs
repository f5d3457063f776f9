namespace KvTiers.Conversations;

/// <summary>The process that has the conversation went away during the call, or none could be reached. The same call may succeed later.</summary>
/// <remarks>It is not known whether a change was made; the version that is read next tells.</remarks>
public sealed class ConversationUnreachableException : IOException
{
    /// <summary>With what went wrong.</summary>
    public ConversationUnreachableException(string message, Exception? innerException = null)
        : base(message, innerException)
    {
    }
}
