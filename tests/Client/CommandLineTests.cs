namespace KvTiers.Cli.Tests;

public class CommandLineTests
{
    [Theory]
    [InlineData("chat")]
    [InlineData("size")]
    [InlineData("replay")]
    [InlineData]
    public async Task HelpDescribesEverythingAndTheExitCodes(params string[] command)
    {
        CliRun run = await CliRun.WithAsync([.. command, "--help"]);

        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        Assert.Contains("  130  interrupted\n", run.Output);
        IEnumerable<string> undescribed = run.Output.Split('\n').Where(line => line.StartsWith("  -") && !line.Trim().Contains("  "));
        Assert.Empty(undescribed);
    }

    [Theory]
    [InlineData]
    [InlineData("dance")]
    public async Task WithoutAKnownCommandItIsWrongUsage(params string[] arguments)
    {
        CliRun run = await CliRun.WithAsync(arguments);

        Assert.Equal((2, ""), (run.ExitCode, run.Output));
        Assert.EndsWith(" --help\n", run.Error);
    }
}
