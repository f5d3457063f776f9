using KvTiers.Silo.Configuration;
using Microsoft.Extensions.Configuration;

namespace KvTiers.Silo.Tests.Configuration;

public sealed class OrleansSettingsTests
{
    private static readonly string[] Clustered = ["--cluster", "127.0.0.1:6379"];

    [Fact]
    public void ByDefaultASiloIsAloneAndKeepsItsConversationsInFiles()
    {
        SiloOptions options = Read();
        Assert.Equal(new OrleansSettings(), options.Orleans);
        Assert.Null(options.Orleans.Cluster);
        Assert.Equal(StoreKind.File, options.Store);
    }

    [Fact]
    public void ASiloOfAClusterListensOnLoopbackAndKeepsConversationsOnTheClustersRedis()
    {
        SiloOptions options = Read(Clustered);
        Assert.Equal(new OrleansSettings { Cluster = "127.0.0.1:6379" }, options.Orleans);
        Assert.Equal("127.0.0.1", options.Orleans.Address!.ToString());
        Assert.Equal((StoreKind.Redis, "127.0.0.1:6379"), (options.Store, StoreSettings.AddressOf(options)));
    }

    [Fact]
    public void AStoreOfItsOwnOrOfTheBlocksIsTakenInThatOrder()
    {
        Assert.Equal("127.0.0.1:1", StoreSettings.AddressOf(Read([.. Clustered, "--store-redis", "127.0.0.1:1", "--redis", "127.0.0.1:2"])));
        Assert.Equal("127.0.0.1:6379", StoreSettings.AddressOf(Read([.. Clustered, "--redis", "127.0.0.1:2"])));
        Assert.Equal("127.0.0.1:2", StoreSettings.AddressOf(Read("--store", "redis", "--redis", "127.0.0.1:2")));
    }

    [Theory]
    [InlineData("SiloPort", "1")]
    [InlineData("SiloPort", "65535")]
    [InlineData("SiloPort", "auto")]
    [InlineData("GatewayPort", "auto")]
    [InlineData("GatewayPort", "65535")]
    [InlineData("IdleAfter", "2s")]
    [InlineData("IdleAfter", "24h")]
    [InlineData("Placement", "random")]
    [InlineData("Placement", "prefix")]
    [InlineData("LoadSlack", "0")]
    [InlineData("LoadSlack", "10")]
    [InlineData("PublishEvery", "100ms")]
    [InlineData("PublishEvery", "1m")]
    [InlineData("SummaryBytes", "1KiB")]
    [InlineData("SummaryBytes", "16MiB")]
    [InlineData("Address", "auto")]
    [InlineData("Address", "10.0.0.7")]
    [InlineData("ClusterId", "a")]
    public void BoundsAreInRange(string key, string value) => Read([.. Clustered, $"--KvTiers:Orleans:{key}={value}"]);

    [Theory]
    [InlineData("SiloPort", "0")]
    [InlineData("SiloPort", "65536")]
    [InlineData("GatewayPort", "0")]
    [InlineData("IdleAfter", "1999ms")]
    [InlineData("IdleAfter", "25h")]
    [InlineData("Placement", "anywhere")]
    [InlineData("LoadSlack", "-1")]
    [InlineData("LoadSlack", "10.1")]
    [InlineData("PublishEvery", "99ms")]
    [InlineData("PublishEvery", "61s")]
    [InlineData("SummaryBytes", "512")]
    [InlineData("SummaryBytes", "3KiB")]
    [InlineData("SummaryBytes", "32MiB")]
    [InlineData("Address", "silo-1")]
    [InlineData("ClusterId", "a b")]
    [InlineData("ServiceId", "ä")]
    [InlineData("Redis", "127.0.0.1:6379")]
    [InlineData("Enabled", "on")]
    [InlineData("Ports", "1")]
    public void BeyondThemTheStartIsRefusedByName(string key, string value)
    {
        StartException refusal = Assert.Throws<StartException>(() => Read([.. Clustered, $"--KvTiers:Orleans:{key}={value}"]));
        Assert.Contains($"KvTiers:Orleans:{key} = '{value}': must be ", string.Join('\n', refusal.Lines), StringComparison.Ordinal);
    }

    [Fact]
    public void AClusterNeedsAStoreThatItsSilosShare()
    {
        StartException refusal = Assert.Throws<StartException>(() => Read([.. Clustered, "--store", "file"]));
        Assert.Contains("KvTiers:Store = 'file': must be redis with KvTiers:Cluster", string.Join('\n', refusal.Lines), StringComparison.Ordinal);
    }

    [Fact]
    public void ThePortsOfASiloDiffer()
    {
        StartException refusal = Assert.Throws<StartException>(() => Read([.. Clustered, "--KvTiers:Orleans:SiloPort=7000", "--KvTiers:Orleans:GatewayPort=7000"]));
        Assert.Contains("KvTiers:Orleans:GatewayPort = '7000': must be another port than KvTiers:Orleans:SiloPort", string.Join('\n', refusal.Lines), StringComparison.Ordinal);
    }

    [Fact]
    public void AClusterByAnAddressThatIsNoneIsRefusedByName()
    {
        StartException refusal = Assert.Throws<StartException>(() => Read("--cluster", "redis://x"));
        Assert.Contains("KvTiers:Cluster = 'redis://x': must be a server's address", string.Join('\n', refusal.Lines), StringComparison.Ordinal);
    }

    private static SiloOptions Read(params string[] arguments) => SiloOptionsReader.Read(
        new ConfigurationBuilder().AddInMemoryCollection(CommandLine.Parse([.. arguments, "--model", TestModels.Tiny]).Settings).Build());
}
