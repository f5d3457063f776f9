using KvTiers.Sessions.Access;

namespace KvTiers.Cli.Tests;

public sealed class KeysCommandTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("kvtiers-keys").FullName;

    private string File => Path.Combine(_folder, "keys.json");

    public void Dispose() => Directory.Delete(_folder, true);

    [Fact]
    public async Task AKeyIsShownOnceAndItsDigestKept()
    {
        CliRun run = await CliRun.WithAsync("keys", "add", File, "--tenant", "acme", "--id", "one", "--expires", "30d", "--requests-per-second", "2.5", "--concurrent-turns", "4");

        Assert.Equal(0, run.ExitCode);
        string key = run.Output.TrimEnd('\n');
        Assert.Matches("^kvt-[A-Za-z0-9_-]{43}$", key);
        Assert.DoesNotContain(key, run.Error);
        Assert.DoesNotContain(key, System.IO.File.ReadAllText(File));
        ApiKeyEntry entry = Assert.Single(AccessFile.Read(File).Keys);
        Assert.Equal(("one", "acme", Convert.ToHexStringLower(ApiKey.Digest(key)), 2.5, 4), (entry.Id, entry.Tenant, entry.Sha256, entry.RequestsPerSecond, entry.ConcurrentTurns));
        Assert.InRange((entry.ExpiresAt!.Value - entry.CreatedAt!.Value).TotalDays, 29.99, 30.01);
    }

    [Fact]
    public async Task WhatElseTheFileHoldsStays()
    {
        new AccessFile { Tenants = new Dictionary<string, TenantLimits> { ["acme"] = new() { Weight = 3 } } }.Write(File);

        await CliRun.WithAsync("keys", "add", File, "--tenant", "acme", "--id", "one");
        await CliRun.WithAsync("keys", "add", File, "--tenant", "zeta", "--id", "two");
        CliRun revoked = await CliRun.WithAsync("keys", "revoke", File, "one");

        Assert.Equal((0, "one is revoked.\n"), (revoked.ExitCode, revoked.Output));
        AccessFile file = AccessFile.Read(File);
        Assert.Equal(["two"], file.Keys.Select(key => key.Id));
        Assert.Equal(3, file.LimitsOf("acme").Weight);
    }

    [Fact]
    public async Task TheListShowsKeysAndLimits()
    {
        string digest = new('a', 64);
        new AccessFile
        {
            Keys =
            [
                new() { Id = "old", Tenant = "acme", Sha256 = digest, CreatedAt = new(2020, 1, 2, 3, 4, 5, TimeSpan.Zero), ExpiresAt = new(2021, 1, 2, 3, 4, 5, TimeSpan.Zero) },
                new() { Id = "new", Tenant = "admin", Sha256 = new('b', 64), RequestsPerSecond = 5 },
            ],
            Tenants = new Dictionary<string, TenantLimits> { ["*"] = new() { TokensPerMinute = 60_000, Weight = 0.5 } },
        }.Write(File);

        CliRun run = await CliRun.WithAsync("keys", "list", File);

        Assert.Equal(0, run.ExitCode);
        Assert.Matches(@"old\s+acme\s+2020-01-02 03:04Z\s+expired 2021-01-02 03:04Z", run.Output);
        Assert.Matches(@"new\s+admin\s+never\s+5", run.Output);
        Assert.Matches(@"\*\s+0\.5\s+60000", run.Output);
        Assert.DoesNotContain(digest, run.Output);
    }

    [Fact]
    public async Task AFileOfTheOlderFormIsConvertedFirst()
    {
        System.IO.File.WriteAllText(File, "acme acme-key-0123456789\nadmin admin-key-0123456789\n");

        CliRun refused = await CliRun.WithAsync("keys", "add", File, "--tenant", "acme");
        CliRun converted = await CliRun.WithAsync("keys", "convert", File);
        CliRun again = await CliRun.WithAsync("keys", "convert", File);

        Assert.Equal(1, refused.ExitCode);
        Assert.Contains("'keys convert'", refused.Error);
        Assert.Equal("2 keys are digests now.\n", converted.Output);
        Assert.Equal("The file holds digests already.\n", again.Output);
        Assert.DoesNotContain("acme-key", System.IO.File.ReadAllText(File));
        Assert.Equal(Convert.ToHexStringLower(ApiKey.Digest("acme-key-0123456789")), AccessFile.Read(File).Keys[0].Sha256);
    }

    [Theory]
    [InlineData("revoke", "FILE", "one")]
    [InlineData("list", "FILE")]
    [InlineData("convert", "FILE")]
    public async Task WithoutAFileItIsAnError(params string[] arguments)
    {
        CliRun run = await CliRun.WithAsync(["keys", .. arguments.Select(argument => argument == "FILE" ? File : argument)]);

        Assert.Equal(1, run.ExitCode);
        Assert.StartsWith("error: There is no file", run.Error);
    }

    [Theory]
    [InlineData("--tenant", "a/b", "keys[0].tenant is 'a/b'")]
    [InlineData("--id", "a b", "keys[0].id is 'a b'")]
    [InlineData("--concurrent-turns", "0", "keys[0].concurrent_turns is 0")]
    [InlineData("--requests-per-second", "0", "keys[0].requests_per_second is 0")]
    public async Task WhatBreaksARuleIsToldAndNothingIsWritten(string option, string value, string fault)
    {
        CliRun run = await CliRun.WithAsync(["keys", "add", File, .. option == "--tenant" ? [] : new[] { "--tenant", "acme" }, option, value]);

        Assert.Equal(1, run.ExitCode);
        Assert.Contains(fault, run.Error);
        Assert.False(System.IO.File.Exists(File));
    }

    [Theory]
    [InlineData("0d")]
    [InlineData("soon")]
    [InlineData("2001-01-01")]
    [InlineData("1000000d")]
    public async Task AnExpiryIsATimeToCome(string expires)
    {
        CliRun run = await CliRun.WithAsync("keys", "add", File, "--tenant", "acme", "--expires", expires);

        Assert.Equal(2, run.ExitCode);
        Assert.Contains("--expires", run.Error);
    }

    [Fact]
    public async Task TwoThatNameOneKeyAlikeAreRefused()
    {
        await CliRun.WithAsync("keys", "add", File, "--tenant", "acme", "--id", "one");

        CliRun run = await CliRun.WithAsync("keys", "add", File, "--tenant", "acme", "--id", "one");

        Assert.Equal(1, run.ExitCode);
        Assert.Contains("keys[1].id is 'one', as another's", run.Error);
    }

    [Fact]
    public async Task CommandsAtOnceLoseNoKey()
    {
        CliRun[] runs = await Task.WhenAll(Enumerable.Range(0, 8).Select(i => Task.Run(() => CliRun.WithAsync("keys", "add", File, "--tenant", "acme", "--id", $"k{i}"))));

        Assert.All(runs, run => Assert.Equal(0, run.ExitCode));
        Assert.Equal(8, AccessFile.Read(File).Keys.Count);
    }
}
