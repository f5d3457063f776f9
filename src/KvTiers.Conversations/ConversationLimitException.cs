namespace KvTiers.Conversations;

/// <summary>The tenant has as many conversations as it may have; nothing was stored. One that is deleted makes room for one.</summary>
public sealed class ConversationLimitException : Exception
{
    /// <summary>For a tenant that may have <paramref name="most"/>.</summary>
    public ConversationLimitException(string tenant, int most)
        : base($"The tenant '{tenant}' has as many conversations as it may have, {most}. One that is deleted makes room for one.")
    {
        Tenant = tenant;
        Most = most;
    }

    /// <summary>The tenant.</summary>
    public string Tenant { get; }

    /// <summary>How many conversations it may have.</summary>
    public int Most { get; }
}
