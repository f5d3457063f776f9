using KvTiers.Sessions.Access;
using KvTiers.Silo.Configuration;
using KvTiers.Silo.Tests.Limits;

namespace KvTiers.Silo.Tests.Configuration;

public sealed class ApiKeysTests : IDisposable
{
    private const string First = "first-key-0123456789";
    private const string Second = "second-key-0123456789";
    private const string Admin = "admin-key-0123456789";
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void AKeyBelongsToItsTenant()
    {
        ApiKeys keys = Load($"# who\n\nacme {First}\nacme\t{Second}\nadmin {Admin}\n");

        Assert.True(keys.Required);
        Assert.Equal("acme", keys.TenantOf(First));
        Assert.Equal("acme", keys.TenantOf(Second));
        Assert.Equal(["acme"], keys.Tenants);
        Assert.Null(keys.TenantOf("other-key-0123456789"));
        Assert.Null(keys.TenantOf(null));
    }

    [Fact]
    public void AnAdminKeyIsNoTenantsKey()
    {
        ApiKeys keys = Load($"acme {First}\nadmin {Admin}\n");

        Assert.Null(keys.TenantOf(Admin));
        Assert.True(keys.IsAdministrator(Admin));
        Assert.False(keys.IsAdministrator(First));
        Assert.False(keys.IsAdministrator(null));
    }

    [Fact]
    public void WithoutKeysThereIsOneTenantThatAdministersItself()
    {
        Assert.Equal(ApiKeys.OnlyTenant, ApiKeys.None.TenantOf(null));
        Assert.True(ApiKeys.None.IsAdministrator(null));
        Assert.Equal([ApiKeys.OnlyTenant], ApiKeys.None.Tenants);
    }

    [Theory]
    [InlineData("", "must hold at least one")]
    [InlineData("# nothing\n", "must hold at least one")]
    [InlineData("acme\n", "line 1 must be 'tenant key'")]
    [InlineData("acme key with spaces\n", "line 1 must be 'tenant key'")]
    [InlineData("\nac/me 0123456789abcdef\n", "line 2 must name the tenant")]
    [InlineData("acme 0123456789abcde\n", "line 1 must have a key of at least 16 characters")]
    [InlineData("acme 0123456789abcdef\nother 0123456789abcdef\n", "line 2 must have a key of its own")]
    public void AWrongLineIsToldWithoutItsKey(string text, string rule)
    {
        StartException e = Assert.Throws<StartException>(() => Load(text));

        Assert.Contains(rule, e.Message);
        Assert.DoesNotContain("0123456789abcde", e.Message);
    }

    [Fact]
    public void AKeyEndsAtItsTime()
    {
        var time = new LimitClock();
        var entry = new ApiKeyEntry { Id = "one", Tenant = "acme", Sha256 = Convert.ToHexStringLower(ApiKey.Digest(First)), ExpiresAt = time.GetUtcNow() + TimeSpan.FromHours(1) };
        ApiKeys keys = Load(new AccessFile { Keys = [entry] }, time);

        time.Advance(TimeSpan.FromMinutes(59));
        Assert.Equal("acme", keys.TenantOf(First));
        time.Advance(TimeSpan.FromMinutes(1));
        Assert.Null(keys.TenantOf(First));
        Assert.Equal(["acme"], keys.Tenants);
    }

    [Fact]
    public void AFileThatBreaksLaterLeavesWhatWasRead()
    {
        ApiKeys keys = Load($"acme {First}\n");
        string file = _folder.Path("keys");

        File.WriteAllText(file, "acme short\n");
        Assert.False(keys.Reload());
        Assert.Equal("acme", keys.TenantOf(First));
        Assert.Contains("line 1 must have a key of at least 16 characters", keys.Problem);
        File.Delete(file);
        Assert.False(keys.Reload());
        File.WriteAllText(file, $"zeta {Second}\n");
        Assert.True(keys.Reload());
        Assert.Null(keys.Problem);
        Assert.Equal((null, "zeta"), (keys.TenantOf(First), keys.TenantOf(Second)));
    }

    [Fact]
    public void WeightsMatterOnlyBesideOthers()
    {
        var one = new ApiKeyEntry { Id = "one", Tenant = "acme", Sha256 = Convert.ToHexStringLower(ApiKey.Digest(First)) };
        var two = new ApiKeyEntry { Id = "two", Tenant = "zeta", Sha256 = Convert.ToHexStringLower(ApiKey.Digest(Second)) };
        var file = new AccessFile { Keys = [one], Tenants = new Dictionary<string, TenantLimits> { ["acme"] = new() { Weight = 3 } } };

        Assert.Equal(double.PositiveInfinity, Load(file, TimeProvider.System).WeightOf("acme"));
        ApiKeys both = Load(file with { Keys = [one, two] }, TimeProvider.System);
        Assert.Equal((3, 1), (both.WeightOf("acme"), both.WeightOf("zeta")));
    }

    private ApiKeys Load(AccessFile keys, TimeProvider time)
    {
        string file = _folder.Path("keys");
        keys.Write(file);
        return ApiKeys.Load(file, time);
    }

    private ApiKeys Load(string text)
    {
        string file = _folder.Path("keys");
        File.WriteAllText(file, text);
        return ApiKeys.Load(file);
    }
}
