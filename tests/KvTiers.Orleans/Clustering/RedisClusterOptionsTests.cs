using KvTiers.Orleans.Clustering;

namespace KvTiers.Orleans.Tests.Clustering;

public sealed class RedisClusterOptionsTests
{
    private static readonly RedisClusterOptions Good = new() { Redis = "127.0.0.1:6379" };

    public static TheoryData<RedisClusterOptions> InRange => [
        Good,
        Good with { ClusterId = new string('a', 64), ServiceId = "A-z_0.9" },
        Good with { SiloPort = 1, GatewayPort = 65_535 },
    ];

    public static TheoryData<RedisClusterOptions, string> OutOfRange => new()
    {
        { Good with { Redis = " " }, "Redis is  ; it must be a server's address." },
        { Good with { ClusterId = "" }, "ClusterId is ; it must be 1 to 64 of the characters" },
        { Good with { ServiceId = "a b" }, "ServiceId is a b; it must be 1 to 64 of the characters" },
        { Good with { ClusterId = new string('a', 65) }, "it must be 1 to 64 of the characters" },
        { Good with { SiloPort = 0 }, "SiloPort is 0; it must be from 1 to 65535." },
        { Good with { GatewayPort = 65_536 }, "GatewayPort is 65536; it must be from 1 to 65535." },
        { Good with { SiloPort = 5, GatewayPort = 5 }, "GatewayPort is 5; it must be another port than SiloPort." },
    };

    [Theory]
    [MemberData(nameof(InRange))]
    public void BoundsAreInRange(RedisClusterOptions options) => options.Validate();

    [Theory]
    [MemberData(nameof(OutOfRange))]
    public void BeyondThemIsRefusedByName(RedisClusterOptions options, string message) =>
        Assert.Contains(message, Assert.Throws<ArgumentException>(options.Validate).Message, StringComparison.Ordinal);
}
