using KvTiers.Silo.Configuration;

namespace KvTiers.Silo.Tests.Configuration;

public sealed class CommandLineTests
{
    [Fact]
    public void ShortFlagsAndSectionKeysBecomeSettings()
    {
        CommandLine parsed = CommandLine.Parse(["--model", "m", "--HOT=1GiB", "--Logging:LogLevel:Default=Debug", "--KvTiers:MaxTurns", "3"]);

        Assert.Equal(
            [new("KvTiers:Model", "m"), new("KvTiers:Hot", "1GiB"), new("Logging:LogLevel:Default", "Debug"), new("KvTiers:MaxTurns", "3")],
            parsed.Settings);
        Assert.False(parsed.HelpWanted);
    }

    [Fact]
    public void AValueMayHoldAnEqualsSign() =>
        Assert.Equal([new("KvTiers:Data", "a=b")], CommandLine.Parse(["--data=a=b"]).Settings);

    [Fact]
    public void OfASettingGivenTwiceTheLastValueCounts() =>
        Assert.Equal([new("KvTiers:Hot", "2GiB")], CommandLine.Parse(["--hot", "1GiB", "--kvtiers:hot=3GiB", "--hot", "2GiB"]).Settings);

    [Theory]
    [InlineData("--gpu")]
    [InlineData("--swap=1GiB")]
    [InlineData("model")]
    [InlineData("-m")]
    [InlineData("--:x=1")]
    [InlineData("--Section:=1")]
    public void AnUnknownArgumentIsNamedWithTheKnownOnes(string argument)
    {
        StartException e = Assert.Throws<StartException>(() => CommandLine.Parse([argument]));

        Assert.Contains($"Unknown argument '{argument.Split('=')[0]}'.", e.Lines);
        Assert.Contains("--model --urls --data --hot --ram --disk --redis --kv --weights --engine --threads --api-key-file", e.Lines[^1]);
    }

    [Fact]
    public void EveryFaultIsNamedAtOnce()
    {
        StartException e = Assert.Throws<StartException>(() => CommandLine.Parse(["--what", "--hot", "--kv"]));

        Assert.Equal(["Unknown argument '--what'.", "Argument '--hot' needs a value.", "Argument '--kv' needs a value."], e.Lines.Take(3));
    }

    [Fact]
    public void HelpNamesEveryFlag()
    {
        Assert.True(CommandLine.Parse(["--hot", "1GiB", "--help"]).HelpWanted);
        string help = CommandLine.Help();
        Assert.All(CommandLine.Flags, flag => Assert.Contains($"  {flag.Name} {flag.Value}", help));
    }
}
