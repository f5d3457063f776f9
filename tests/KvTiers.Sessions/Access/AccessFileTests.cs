using System.Text;
using KvTiers.Sessions.Access;

namespace KvTiers.Sessions.Tests.Access;

public sealed class AccessFileTests : IDisposable
{
    private const string Digest = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    private readonly string _folder = Directory.CreateTempSubdirectory("kvtiers-access").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void WhatIsWrittenIsRead()
    {
        string path = Path.Combine(_folder, "keys.json");
        var file = new AccessFile
        {
            Keys =
            [
                new() { Id = "one", Tenant = "acme", Sha256 = Digest, CreatedAt = DateTimeOffset.UnixEpoch, ExpiresAt = DateTimeOffset.UnixEpoch.AddDays(1), RequestsPerSecond = 0.5, ConcurrentTurns = 3 },
            ],
            Tenants = new Dictionary<string, TenantLimits> { ["acme"] = new() { Weight = 2, TokensPerMinute = 1_000, Conversations = 0, TierBytes = 1 << 20 }, ["*"] = new() { ConcurrentTurns = 8 } },
        };

        file.Write(path);
        AccessFile read = AccessFile.Read(path);

        Assert.Equal(file.Keys, read.Keys);
        Assert.Equal(file.Tenants, read.Tenants);
        if (!OperatingSystem.IsWindows())
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(path));
        Assert.Equal([path], Directory.GetFiles(_folder));
    }

    [Fact]
    public void ATenantsOwnLimitsGoBeforeThoseOfAll()
    {
        AccessFile file = Parse("""{"tenants":{"acme":{"weight":2,"requests_per_second":5},"*":{"requests_per_second":1,"conversations":10}}}""");

        Assert.Equal(new TenantLimits { Weight = 2, RequestsPerSecond = 5, Conversations = 10 }, file.LimitsOf("acme"));
        Assert.Equal(new TenantLimits { RequestsPerSecond = 1, Conversations = 10 }, file.LimitsOf("other"));
        Assert.Equal(new TenantLimits(), Parse("{}").LimitsOf("acme"));
    }

    [Fact]
    public void TheOlderFormIsReadAsDigests()
    {
        AccessFile file = Parse("# who\n\nacme first-key-0123456789\r\nadmin\tadmin-key-0123456789\n");

        Assert.Equal([("line-3", "acme"), ("line-4", "admin")], file.Keys.Select(key => (key.Id, key.Tenant)));
        Assert.Equal(Convert.ToHexStringLower(ApiKey.Digest("first-key-0123456789")), file.Keys[0].Sha256);
        Assert.DoesNotContain("first-key", file.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"keys":[{"id":"a b","tenant":"t","sha256":"DIGEST"}]}""", "keys[0].id is 'a b'; it must have 1 to 64")]
    [InlineData("""{"keys":[{"id":"a","tenant":"t/t","sha256":"DIGEST"}]}""", "keys[0].tenant is 't/t'")]
    [InlineData("""{"keys":[{"id":"a","tenant":"t","sha256":"abc"}]}""", "keys[0].sha256 is no SHA-256 digest")]
    [InlineData("""{"keys":[{"id":"a","tenant":"t","sha256":"DIGEST"},{"id":"a","tenant":"t","sha256":"DIGEST2"}]}""", "keys[1].id is 'a', as another's")]
    [InlineData("""{"keys":[{"id":"a","tenant":"t","sha256":"DIGEST"},{"id":"b","tenant":"t","sha256":"DIGEST"}]}""", "keys[1].sha256 is that of another key")]
    [InlineData("""{"keys":[{"id":"a","tenant":"t","sha256":"DIGEST","concurrent_turns":0}]}""", "keys[0].concurrent_turns is 0; it must be 1 or more.")]
    [InlineData("""{"tenants":{"t":{"weight":0}}}""", "tenants.t.weight is 0; it must be from 0.01 to 1000.")]
    [InlineData("""{"tenants":{"t":{"weight":1000.5}}}""", "tenants.t.weight is 1000.5")]
    [InlineData("""{"tenants":{"t":{"requests_per_second":0.0001}}}""", "tenants.t.requests_per_second is 0.0001; it must be from 0.001 to 1000000.")]
    [InlineData("""{"tenants":{"t":{"tokens_per_minute":0}}}""", "tenants.t.tokens_per_minute is 0; it must be 1 or more.")]
    [InlineData("""{"tenants":{"t":{"conversations":-1}}}""", "tenants.t.conversations is -1; it must be 0 or more.")]
    [InlineData("""{"tenants":{"t":{"tier_bytes":1048575}}}""", "tenants.t.tier_bytes is 1048575; it must be 1048576 or more.")]
    [InlineData("""{"tenants":{"admin":{}}}""", "tenants holds 'admin'")]
    [InlineData("""{"tenants":{"a b":{}}}""", "tenants holds 'a b'")]
    [InlineData("""{"tenants":{"t":{"requests_a_second":1}}}""", "Line 1, at $.tenants.t.requests_a_second")]
    [InlineData("""{"tenants":{"t":{"weight":1,"weight":2}}}""", "each once")]
    [InlineData("""{"keys":[{"id":"a","tenant":"t"}]}""", "Line 1")]
    [InlineData("{", "Line 1")]
    [InlineData("", "must hold at least one key")]
    [InlineData("acme\n", "line 1 must be 'tenant key'")]
    public void WhatBreaksARuleIsTold(string text, string fault)
    {
        AccessFormatException e = Assert.Throws<AccessFormatException>(() => Parse(text));

        Assert.Contains(fault, e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void EveryFaultIsToldAtOnce()
    {
        AccessFormatException e = Assert.Throws<AccessFormatException>(() => Parse("""{"keys":[{"id":"","tenant":"","sha256":""}],"tenants":{"t":{"weight":0,"concurrent_turns":0}}}"""));

        Assert.Equal(5, e.Faults.Count);
    }

    [Fact]
    public void AFaultyFileIsNotWritten()
    {
        string path = Path.Combine(_folder, "keys.json");
        new AccessFile().Write(path);
        string before = File.ReadAllText(path);

        Assert.Throws<AccessFormatException>(() => new AccessFile { Tenants = new Dictionary<string, TenantLimits> { ["t"] = new() { Weight = -1 } } }.Write(path));

        Assert.Equal(before, File.ReadAllText(path));
    }

    [Fact]
    public void KeysAreNeverTheSame()
    {
        string[] keys = [.. Enumerable.Range(0, 100).Select(_ => ApiKey.New())];

        Assert.Equal(100, keys.Distinct().Count());
        Assert.All(keys, key => Assert.Matches("^kvt-[A-Za-z0-9_-]{43}$", key));
    }

    private static AccessFile Parse(string text) => AccessFile.Parse(Encoding.UTF8.GetBytes(
        text.Replace("DIGEST2", Digest.Replace('0', 'f'), StringComparison.Ordinal).Replace("DIGEST", Digest, StringComparison.Ordinal)));
}
