using KvTiers.Cli.Cluster;

namespace KvTiers.Cli.Tests.Cluster;

public sealed class ClusterOptionTests
{
    private static readonly bool HasOrleans = typeof(ClusterDoor).Assembly.GetType("KvTiers.Cli.Cluster.ClusterConnection") is not null;

    [Theory]
    [InlineData("load")]
    [InlineData("chat", "--message", "x")]
    public async Task ABuildWithoutOrleansSaysSo(params string[] arguments)
    {
        Assert.SkipWhen(HasOrleans, "this build has Orleans");
        CliRun run = await CliRun.WithAsync([.. arguments, "--cluster", "127.0.0.1:1"]);
        Assert.Equal(ExitCodes.Error, run.ExitCode);
        Assert.Contains("--cluster 127.0.0.1:1: this program was built without Orleans; build it with -p:WithOrleans=true.", run.Error, StringComparison.Ordinal);
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
