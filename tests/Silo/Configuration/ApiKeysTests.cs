using KvTiers.Silo.Configuration;

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

    private ApiKeys Load(string text)
    {
        string file = _folder.Path("keys");
        File.WriteAllText(file, text);
        return ApiKeys.Load(file);
    }
}
