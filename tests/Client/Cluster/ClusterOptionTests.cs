using KvTiers.Cli.Outcomes;

namespace KvTiers.Cli.Tests.Cluster;

public sealed class ClusterOptionTests
{
    [Theory]
    [InlineData("load")]
    [InlineData("chat", "--message", "x")]
    public async Task AClusterThatCannotBeReachedIsSaid(params string[] arguments)
    {
        CliRun run = await CliRun.WithAsync([.. arguments, "--cluster", "127.0.0.1:1,connectTimeout=200"]);
        Assert.Equal(ExitCodes.Error, run.ExitCode);
        Assert.Contains("No silo of the cluster 'kvtiers' can be reached by way of Redis at 127.0.0.1:1", run.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("load")]
    [InlineData("chat")]
    public async Task AnAddressAndAClusterCannotBothBeGiven(string command)
    {
        CliRun run = await CliRun.WithAsync([command, "--cluster", "127.0.0.1:1", "--url", "http://127.0.0.1:1"]);
        Assert.Equal(ExitCodes.Usage, run.ExitCode);
        Assert.Contains("--cluster takes the place of --url; both cannot be given.", run.Error, StringComparison.Ordinal);
    }
}
