using System.Net;
using System.Numerics;

namespace KvTiers.Orleans.Hosting;

/// <summary>How a silo takes part in a cluster.</summary>
public sealed record OrleansConversationsOptions
{
    /// <summary>Redis server of membership, grain directory and summaries, in StackExchange.Redis's own form. All silos and clients name the same.</summary>
    public required string Redis { get; init; }

    /// <summary>Silos with the same one form a cluster. 1 to 64 of the characters A–Z a–z 0–9 . _ -. Default <c>kvtiers</c>.</summary>
    public string ClusterId { get; init; } = "kvtiers";

    /// <summary>Names what the cluster serves, over all its deployments; as <see cref="ClusterId"/>. Default <c>kvtiers</c>.</summary>
    public string ServiceId { get; init; } = "kvtiers";

    /// <summary>Where the other silos and the clients reach this one, and where it listens. Default the loopback address.</summary>
    public IPAddress Address { get; init; } = IPAddress.Loopback;

    /// <summary>Port for the other silos, 1 to 65,535. Default 11111.</summary>
    public int SiloPort { get; init; } = 11111;

    /// <summary>Port for cluster clients, 1 to 65,535, another than <see cref="SiloPort"/>. Default 30000.</summary>
    public int GatewayPort { get; init; } = 30000;

    /// <summary>A conversation that nobody used for so long gives up its blocks and leaves memory; 2 seconds to 1 day. Default 5 minutes.</summary>
    public TimeSpan IdleAfter { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>How conversations are placed. Default by prefix.</summary>
    public ConversationPlacement Placement { get; init; }

    /// <summary>Share above the mean number of conversations that a silo may have before placement passes it over, 0 to 10. Default 0.25.</summary>
    public double LoadSlack { get; init; } = 0.25;

    /// <summary>How often silos tell each other what they hold, 100 ms to 1 minute. Default 1 second.</summary>
    public TimeSpan PublishEvery { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Bytes of a silo's summary at most, a power of two from 1 KiB to 16 MiB. Default 64 KiB, for 52,428 blocks.</summary>
    public int SummaryBytes { get; init; } = 64 << 10;

    /// <summary>Checks every range.</summary>
    /// <exception cref="ArgumentException">Names the property, its value and the rule.</exception>
    public void Validate()
    {
        Check(!string.IsNullOrWhiteSpace(Redis), nameof(Redis), Redis, "a server's address");
        Check(IsName(ClusterId), nameof(ClusterId), ClusterId, "1 to 64 of the characters A-Z a-z 0-9 . _ -");
        Check(IsName(ServiceId), nameof(ServiceId), ServiceId, "1 to 64 of the characters A-Z a-z 0-9 . _ -");
        Check(SiloPort is >= 1 and <= 65_535, nameof(SiloPort), SiloPort, "from 1 to 65535");
        Check(GatewayPort is >= 1 and <= 65_535, nameof(GatewayPort), GatewayPort, "from 1 to 65535");
        Check(GatewayPort != SiloPort, nameof(GatewayPort), GatewayPort, "another port than SiloPort");
        Check(IdleAfter >= TimeSpan.FromSeconds(2) && IdleAfter <= TimeSpan.FromDays(1), nameof(IdleAfter), IdleAfter, "from 2 seconds to 1 day");
        Check(Enum.IsDefined(Placement), nameof(Placement), Placement, "Prefix or Random");
        Check(LoadSlack is >= 0 and <= 10, nameof(LoadSlack), LoadSlack, "from 0 to 10");
        Check(PublishEvery >= TimeSpan.FromMilliseconds(100) && PublishEvery <= TimeSpan.FromMinutes(1), nameof(PublishEvery), PublishEvery, "from 100 ms to 1 minute");
        Check(SummaryBytes is >= 1 << 10 and <= 16 << 20 && BitOperations.IsPow2(SummaryBytes), nameof(SummaryBytes), SummaryBytes, "a power of two from 1024 to 16777216");
    }

    internal static bool IsName(string? text) => text is { Length: > 0 and <= 64 } && text.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '-');

    internal static void Check(bool holds, string property, object? value, string rule)
    {
        if (!holds)
            throw new ArgumentException(FormattableString.Invariant($"{property} is {value}; it must be {rule}."), property);
    }
}
