using KvTiers.Orleans.Hosting;

namespace KvTiers.Orleans.Clients;

/// <summary>How a process outside the cluster finds it.</summary>
public sealed record ClusterClientOptions
{
    /// <summary>The cluster's Redis server, in StackExchange.Redis's own form.</summary>
    public required string Redis { get; init; }

    /// <summary>The silos' cluster id. Default <c>kvtiers</c>.</summary>
    public string ClusterId { get; init; } = "kvtiers";

    /// <summary>The silos' service id. Default <c>kvtiers</c>.</summary>
    public string ServiceId { get; init; } = "kvtiers";

    /// <summary>Checks every rule.</summary>
    /// <exception cref="ArgumentException">Names the property, its value and the rule.</exception>
    public void Validate()
    {
        OrleansConversationsOptions.Check(!string.IsNullOrWhiteSpace(Redis), nameof(Redis), Redis, "a server's address");
        OrleansConversationsOptions.Check(OrleansConversationsOptions.IsName(ClusterId), nameof(ClusterId), ClusterId, "1 to 64 of the characters A-Z a-z 0-9 . _ -");
        OrleansConversationsOptions.Check(OrleansConversationsOptions.IsName(ServiceId), nameof(ServiceId), ServiceId, "1 to 64 of the characters A-Z a-z 0-9 . _ -");
    }
}
