using KvTiers.Sessions.Secrets;
using KvTiers.Silo.Configuration;
using KvTiers.Silo.Models;
using Microsoft.Extensions.Logging.Abstractions;

namespace KvTiers.Silo.Tests.Models;

/// <summary>Where the tenants' secret comes from, and who agrees with whom.</summary>
public sealed class TenantSecretTests : IDisposable
{
    private readonly TemporaryFolder _one = new();
    private readonly TemporaryFolder _two = new();

    public void Dispose()
    {
        _one.Dispose();
        _two.Dispose();
    }

    [Fact]
    public async Task AServerOfItsOwnMakesOneOnceForItsOwnerAlone()
    {
        byte[] first = await SaltAsync(_one), again = await SaltAsync(_one), other = await SaltAsync(_two);

        Assert.Equal(first, again);
        Assert.NotEqual(first, other);
        if (!OperatingSystem.IsWindows())
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(_one.Path("tenant-secret")));
    }

    [Fact]
    public async Task WhatIsGivenIsTakenAndNothingIsWritten()
    {
        byte[] secret = TenantSalts.NewSecret();
        await File.WriteAllTextAsync(_two.Path("given"), Convert.ToHexString(secret));

        Assert.Equal(new TenantSalts(secret).For("t"), await SaltAsync(_one, options => options with { TenantSecret = secret }));
        Assert.Equal(new TenantSalts(secret).For("t"), await SaltAsync(_one, options => options with { TenantSecretFile = _two.Path("given") }));
        Assert.False(File.Exists(_one.Path("tenant-secret")));
    }

    [Fact]
    public async Task ServersOfOneStoreAgreeAndKeepACopyForWhenItIsAway()
    {
        var store = new Shared();
        byte[] own = await SaltAsync(_two);
        byte[] first = await SaltAsync(_one, shared: store), second = await SaltAsync(_two, shared: store);
        Assert.Equal(first, second);
        Assert.NotEqual(own, second);

        store.IsAway = true;
        Assert.Equal(first, await SaltAsync(_two, shared: store));

        // Emptied, it gets the secret back from whoever comes first.
        var emptied = new Shared();
        Assert.Equal(first, await SaltAsync(_one, shared: emptied));
        Assert.Equal(first, await SaltAsync(_two, shared: emptied));
    }

    [Fact]
    public async Task AServerWithoutACopyWaitsForTheStore()
    {
        var store = new Shared { IsAway = true };
        Task<byte[]> waiting = SaltAsync(_one, shared: store);
        while (store.Calls < 2)
            await Task.Delay(20);
        Assert.False(waiting.IsCompleted);
        Assert.False(File.Exists(_one.Path("tenant-secret")));

        store.IsAway = false;
        Assert.Equal(await SaltAsync(_two, shared: store), await waiting);
    }

    [Fact]
    public async Task ADamagedFileStopsTheStartAndIsNotShown()
    {
        await File.WriteAllTextAsync(_one.Path("tenant-secret"), "hunter2");

        StartException fault = await Assert.ThrowsAsync<StartException>(() => SaltAsync(_one));

        Assert.Contains(_one.Path("tenant-secret"), fault.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("hunter2", fault.ToString(), StringComparison.Ordinal);
    }

    private static async Task<byte[]> SaltAsync(TemporaryFolder data, Func<SiloOptions, SiloOptions>? change = null, ISharedSecret? shared = null)
    {
        var options = new SiloOptions { Data = data.FullName };
        TenantSalts salts = await TenantSecret.OpenAsync(change?.Invoke(options) ?? options, shared, NullLogger.Instance, TimeProvider.System, CancellationToken.None);
        return salts.For("t");
    }

    private sealed class Shared : ISharedSecret
    {
        private byte[]? _kept;
        private int _calls;

        public bool IsAway { get; set; }

        public int Calls => Volatile.Read(ref _calls);

        public ValueTask<byte[]> AgreeAsync(byte[] candidate, CancellationToken cancellationToken = default)
        {
            Interlocked.Increment(ref _calls);
            return IsAway ? throw new IOException("It is away.") : ValueTask.FromResult(_kept ??= candidate);
        }
    }
}
