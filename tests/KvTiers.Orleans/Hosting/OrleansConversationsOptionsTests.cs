using KvTiers.Orleans.Clients;
using KvTiers.Orleans.Hosting;

namespace KvTiers.Orleans.Tests.Hosting;

public sealed class OrleansConversationsOptionsTests
{
    private static readonly OrleansConversationsOptions Good = new();

    public static TheoryData<OrleansConversationsOptions> InRange => [
        Good,
        Good with { IdleAfter = TimeSpan.FromSeconds(2), PublishEvery = TimeSpan.FromMilliseconds(100), LoadSlack = 0, SummaryBytes = 1024 },
        Good with { IdleAfter = TimeSpan.FromDays(1), PublishEvery = TimeSpan.FromMinutes(1), LoadSlack = 10, SummaryBytes = 16 << 20 },
    ];

    public static TheoryData<OrleansConversationsOptions, string> OutOfRange => new()
    {
        { Good with { IdleAfter = TimeSpan.FromSeconds(1.99) }, "it must be from 2 seconds to 1 day." },
        { Good with { IdleAfter = TimeSpan.FromDays(1.01) }, "it must be from 2 seconds to 1 day." },
        { Good with { Placement = (ConversationPlacement)2 }, "Placement is 2; it must be Prefix or Random." },
        { Good with { LoadSlack = -0.01 }, "LoadSlack is -0.01; it must be from 0 to 10." },
        { Good with { LoadSlack = double.NaN }, "LoadSlack is NaN; it must be from 0 to 10." },
        { Good with { PublishEvery = TimeSpan.FromMilliseconds(99) }, "it must be from 100 ms to 1 minute." },
        { Good with { PublishEvery = TimeSpan.FromSeconds(61) }, "it must be from 100 ms to 1 minute." },
        { Good with { SummaryBytes = 512 }, "SummaryBytes is 512; it must be a power of two from 1024 to 16777216." },
        { Good with { SummaryBytes = 3000 }, "SummaryBytes is 3000; it must be a power of two" },
    };

    [Theory]
    [MemberData(nameof(InRange))]
    public void BoundsAreInRange(OrleansConversationsOptions options) => options.Validate();

    [Theory]
    [MemberData(nameof(OutOfRange))]
    public void BeyondThemIsRefusedByName(OrleansConversationsOptions options, string message) =>
        Assert.Contains(message, Assert.Throws<ArgumentException>(options.Validate).Message, StringComparison.Ordinal);

    [Fact]
    public void AClientWithoutAnAddressIsRefused()
    {
        Assert.Throws<ArgumentException>(new ClusterClientOptions { Redis = "" }.Validate);
        Assert.Throws<ArgumentException>((new ClusterClientOptions { Redis = "127.0.0.1:6379" } with { ClusterId = "a b" }).Validate);
    }
}
