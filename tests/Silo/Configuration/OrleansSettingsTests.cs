using KvTiers.Silo.Configuration;
using KvTiers.Silo.Hosting;
using Microsoft.Extensions.Configuration;

namespace KvTiers.Silo.Tests.Configuration;

public sealed class OrleansSettingsTests
{
    private static readonly string[] Enabled = ["--orleans", "on", "--store", "redis", "--redis", "127.0.0.1:6379"];

    [Fact]
    public void WithoutBeingEnabledThereIsNoCluster() => Assert.Null(Read("--KvTiers:Orleans:SiloPort=5").Orleans);

    [Fact]
    public void DefaultsListenOnLoopback()
    {
        Assert.Equal(new OrleansSettings(), Read(Enabled).Orleans);
        Assert.Equal("127.0.0.1", new OrleansSettings().Address!.ToString());
    }

    [Theory]
    [InlineData("SiloPort", "1")]
    [InlineData("SiloPort", "65535")]
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
    public void BoundsAreInRange(string key, string value) => Assert.NotNull(Read([.. Enabled, $"--KvTiers:Orleans:{key}={value}"]).Orleans);

    [Theory]
    [InlineData("Enabled", "yes")]
    [InlineData("SiloPort", "0")]
    [InlineData("SiloPort", "65536")]
    [InlineData("GatewayPort", "0")]
    [InlineData("GatewayPort", "11111")]
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
    [InlineData("Redis", "redis://x")]
    [InlineData("Ports", "1")]
    public void BeyondThemTheStartIsRefusedByName(string key, string value)
    {
        StartException refusal = Assert.Throws<StartException>(() => Read([.. Enabled, $"--KvTiers:Orleans:{key}={value}"]));
        Assert.Contains($"KvTiers:Orleans:{key} = '{value}': must be ", string.Join('\n', refusal.Lines), StringComparison.Ordinal);
    }

    [Fact]
    public void AClusterNeedsAStoreThatItsSilosShare()
    {
        StartException refusal = Assert.Throws<StartException>(() => Read("--orleans", "on"));
        Assert.Contains("KvTiers:Store = 'file': must be redis", string.Join('\n', refusal.Lines), StringComparison.Ordinal);
    }

    [Fact]
    public void AServerBuiltWithoutOrleansSaysSo()
    {
        Assert.SkipWhen(typeof(SiloApplication).Assembly.GetType("KvTiers.Silo.Hosting.ClusterComposition") is not null, "this build has Orleans");
        using var data = new TemporaryFolder();
        StartException refusal = Assert.Throws<StartException>(() => SiloApplication.Create(CommandLine.Parse([.. Enabled, "--data", data.FullName, "--model", TestModels.Tiny])));
        Assert.Equal(["KvTiers:Orleans:Enabled = 'on': must be off, as this server was built without Orleans (build it with -p:WithOrleans=true)."], refusal.Lines);
    }

    private static SiloOptions Read(params string[] arguments) => SiloOptionsReader.Read(
        new ConfigurationBuilder().AddInMemoryCollection(CommandLine.Parse([.. arguments, "--model", TestModels.Tiny]).Settings).Build());
}
