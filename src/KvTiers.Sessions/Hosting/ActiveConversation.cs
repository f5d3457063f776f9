namespace KvTiers.Sessions.Hosting;

/// <summary>A conversation in memory: who uses it, and since when nobody does.</summary>
internal sealed class ActiveConversation(Conversation conversation)
{
    public Conversation Conversation { get; } = conversation;

    /// <summary>Lets one caller in at a time, in the order in which they came.</summary>
    public SemaphoreSlim Gate { get; } = new(1, 1);

    /// <summary>Callers inside and waiting. While there is one, the conversation stays.</summary>
    public int Users { get; set; }

    /// <summary>Its place among the idle ones, longest idle first; null while it has users.</summary>
    public LinkedListNode<ActiveConversation>? Idle { get; set; }

    /// <summary>When the last caller left.</summary>
    public DateTimeOffset IdleSince { get; set; }
}
