namespace KvTiers.Conversations;

/// <summary>The process that has the conversation went away during the call, or none could be reached. The same call may succeed later.</summary>
/// <remarks>Of a change it is not known whether it was made: the version read next tells.</remarks>
public sealed class ConversationUnreachableException : IOException
{
    /// <summary>With what went wrong.</summary>
    public ConversationUnreachableException(string message, Exception? innerException = null)
        : base(message, innerException)
    {
    }
}
