using KvTiers.Sessions.Secrets;

namespace KvTiers.Sessions.Tests.Secrets;

/// <summary>A tenant's salt cannot be told from its name, and is the same wherever the secret is.</summary>
public sealed class TenantSaltsTests
{
    [Fact]
    public void ASaltDependsOnSecretAndTenant()
    {
        byte[] secret = TenantSalts.NewSecret();
        var salts = new TenantSalts(secret);
        Assert.Equal(TenantSalts.ByteCount, salts.For("one").Length);
        Assert.Equal(salts.For("one"), new TenantSalts(secret).For("one"));
        Assert.NotEqual(salts.For("one"), salts.For("two"));
        Assert.NotEqual(salts.For("one"), new TenantSalts(TenantSalts.NewSecret()).For("one"));
        Assert.Throws<ArgumentException>(() => salts.For("not allowed/"));
        Assert.Throws<ArgumentException>(() => new TenantSalts(new byte[31]));
    }

    /// <summary>Computed with Python: hmac.new(bytes(range(32)), b"tests", "sha256").</summary>
    [Fact]
    public void ASaltIsTheHmacOfTheTenantsName()
    {
        byte[] secret = [.. Enumerable.Range(0, 32).Select(i => (byte)i)];
        Assert.Equal("ef78edc07c77e081645af151103a6a4ca82c470d9898181f838a402d3068ca11", Convert.ToHexStringLower(new TenantSalts(secret).For("tests")));
    }

    [Fact]
    public void ACacheSaltIsOneOfItsTenantAlone()
    {
        var salts = new TenantSalts(new byte[TenantSalts.ByteCount]);
        Assert.Equal(salts.For("one"), salts.For("one", cacheSalt: null));
        byte[][] all = [salts.For("one"), salts.For("one", ""), salts.For("one", "a"), salts.For("one", "b"), salts.For("two", "a")];
        Assert.Equal(all.Length, all.Select(Convert.ToHexString).Distinct().Count());
        Assert.All(all, salt => Assert.Equal(TenantSalts.ByteCount, salt.Length));
    }

    [Fact]
    public void OfManyThatBeginAtOnceAllHaveOneSecretInAFileOnlyTheOwnerReads()
    {
        using var folder = new TemporaryFolder();
        string path = Path.Combine(folder.Path, "secret");
        Assert.Null(SecretFile.Read(path));
        byte[][] secrets = new byte[16][];
        Parallel.For(0, secrets.Length, i => secrets[i] = SecretFile.ReadOrCreate(path, TenantSalts.NewSecret()));
        Assert.All(secrets, secret => Assert.Equal(SecretFile.Read(path), secret));
        Assert.Equal([path], Directory.GetFiles(folder.Path));
        if (!OperatingSystem.IsWindows())
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(path));
    }

    [Theory]
    [InlineData("")]
    [InlineData("0123")]
    [InlineData("zz23456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef")]
    public void AFileThatHoldsNoSecretIsNamedAndNotShown(string text)
    {
        using var folder = new TemporaryFolder();
        string path = Path.Combine(folder.Path, "secret");
        File.WriteAllText(path, text);
        FormatException fault = Assert.Throws<FormatException>(() => SecretFile.ReadOrCreate(path, TenantSalts.NewSecret()));
        Assert.Contains(path, fault.Message, StringComparison.Ordinal);
        Assert.True(text.Length == 0 || !fault.Message.Contains(text, StringComparison.Ordinal));
        Assert.Equal(text, File.ReadAllText(path));
    }
}
