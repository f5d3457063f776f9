using System.Net;
using KvTiers.Orleans.Hosting;

namespace KvTiers.Orleans.Clustering;

/// <summary>How a silo finds the other silos of its cluster, and they it.</summary>
public sealed record RedisClusterOptions
{
    /// <summary>Redis server of membership and grain directory, in StackExchange.Redis's own form. All silos and clients name the same.</summary>
    public required string Redis { get; init; }

    /// <summary>Silos with the same one form a cluster. 1 to 64 of the characters A–Z a–z 0–9 . _ -. Default <c>kvtiers</c>.</summary>
    public string ClusterId { get; init; } = "kvtiers";

    /// <summary>Names what the cluster serves, over all its deployments; as <see cref="ClusterId"/>. Default <c>kvtiers</c>.</summary>
    public string ServiceId { get; init; } = "kvtiers";

    /// <summary>Where the other silos and the clients reach this one, and where it listens. Default the loopback address.</summary>
    public IPAddress Address { get; init; } = IPAddress.Loopback;

    /// <summary>Port for the other silos, 1 to 65,535. Null (default): 11111, or the next free one when another process has it.</summary>
    public int? SiloPort { get; init; }

    /// <summary>Port for cluster clients, 1 to 65,535, another than <see cref="SiloPort"/>. Null (default): 30000, or the next free one.</summary>
    public int? GatewayPort { get; init; }

    /// <summary>Checks every rule.</summary>
    /// <exception cref="ArgumentException">Names the property, its value and the rule.</exception>
    public void Validate()
    {
        OptionRule.Check(!string.IsNullOrWhiteSpace(Redis), nameof(Redis), Redis, "a server's address");
        OptionRule.Check(OptionRule.IsName(ClusterId), nameof(ClusterId), ClusterId, OptionRule.Name);
        OptionRule.Check(OptionRule.IsName(ServiceId), nameof(ServiceId), ServiceId, OptionRule.Name);
        OptionRule.Check(SiloPort is null or (>= 1 and <= 65_535), nameof(SiloPort), SiloPort, "from 1 to 65535");
        OptionRule.Check(GatewayPort is null or (>= 1 and <= 65_535), nameof(GatewayPort), GatewayPort, "from 1 to 65535");
        OptionRule.Check(GatewayPort is null || GatewayPort != SiloPort, nameof(GatewayPort), GatewayPort, "another port than SiloPort");
    }
}
