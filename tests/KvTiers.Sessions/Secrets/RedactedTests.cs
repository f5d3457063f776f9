using KvTiers.Sessions.Secrets;

namespace KvTiers.Sessions.Tests.Secrets;

/// <summary>No part of a password is shown, however the setting is written.</summary>
public sealed class RedactedTests
{
    [Theory]
    [InlineData("127.0.0.1:6379", "127.0.0.1:6379")]
    [InlineData("a:1,b:2,ssl=true,defaultDatabase=3", "a:1,b:2,ssl=true,defaultDatabase=3")]
    [InlineData("a:1,password=hunter2", "a:1,password=***")]
    [InlineData("a:1,PASSWORD=hunter2,user=me,ssl=true", "a:1,PASSWORD=***,user=***,ssl=true")]
    [InlineData("a:1,password=hunt,er2", "a:1,password=***,***")]
    [InlineData("a:1,passwort=hunter2", "a:1,passwort=***")]
    [InlineData("redis://me:hunter2@a:1", "redis://***@a:1")]
    [InlineData("redis://:hunter2@a:1,ssl=true", "redis://***@a:1,ssl=true")]
    [InlineData("me:hunt@er2@a:1", "***@a:1")]
    [InlineData("a:1,name=x@hunter2", "a:1,name=***")]
    [InlineData("", "")]
    public void AConnectionStringKeepsItsAddresses(string configuration, string shown) => Assert.Equal(shown, Redacted.ConnectionString(configuration));

    [Theory]
    [InlineData("a:1,password=hunt,er2", "'er2' is no address; given 'a:1,password=hunt,er2'", "'***' is no address; given 'a:1,password=***,***'")]
    [InlineData("redis://me:hunter2@a:1", "cannot reach me:hunter2 or hunter2", "cannot reach *** or ***")]
    [InlineData(null, "as it was", "as it was")]
    public void AMessageThatQuotesOneKeepsItsSenseAndLosesItsSecrets(string? configuration, string message, string shown) =>
        Assert.Equal(shown, Redacted.Message(message, configuration));
}
