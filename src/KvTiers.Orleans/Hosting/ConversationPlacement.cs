namespace KvTiers.Orleans.Hosting;

/// <summary>How a silo is chosen for a conversation that none has in memory.</summary>
public enum ConversationPlacement
{
    /// <summary>The one that holds the longest leading run of its blocks, of those that are not full.</summary>
    Prefix,

    /// <summary>Any one.</summary>
    Random,
}
