namespace KvTiers.Conversations;

/// <summary>What is stored of this conversation cannot be read. Other conversations are not affected.</summary>
public sealed class ConversationDamagedException : Exception
{
    /// <summary>For what is stored at <paramref name="path"/>.</summary>
    public ConversationDamagedException(string path, string reason, Exception? innerException = null)
        : base($"The stored conversation '{path}' is damaged: {reason}", innerException)
    {
        Path = path;
        Reason = reason;
    }

    /// <summary>Where it is stored.</summary>
    public string Path { get; }

    /// <summary>What is wrong, and where.</summary>
    public string Reason { get; }
}
