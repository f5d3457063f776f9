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
        OptionRule.Check(!string.IsNullOrWhiteSpace(Redis), nameof(Redis), Redis, "a server's address");
        OptionRule.Check(OptionRule.IsName(ClusterId), nameof(ClusterId), ClusterId, OptionRule.Name);
        OptionRule.Check(OptionRule.IsName(ServiceId), nameof(ServiceId), ServiceId, OptionRule.Name);
    }
}
