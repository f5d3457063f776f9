using System.Net;
using System.Net.Sockets;
using KvTiers.Orleans.Clustering;
using KvTiers.Silo.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Orleans.Configuration;

namespace KvTiers.Orleans.Tests.Clustering;

/// <summary>No two silos of one machine have the same port, although the system would let them.</summary>
public sealed class PortClaimsTests
{
    [Fact]
    public void APortThatAProgramListensOnIsPassedOver()
    {
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        int port = ((IPEndPoint)taken.LocalEndpoint).Port;
        using var claims = new PortClaims();
        Assert.InRange(claims.Claim(null, port, IPAddress.Loopback), port + 1, port + 999);
        Assert.Contains($"Port {port} ", Assert.Throws<IOException>(() => claims.Claim(port, 0, IPAddress.Loopback)).Message, StringComparison.Ordinal);
    }

    /// <summary>The moment between being picked and being listened on is when another silo would pick it too.</summary>
    [Fact]
    public void APortThatWasPickedIsNobodyElsesUntilItIsGivenBack()
    {
        using var one = new PortClaims();
        using var other = new PortClaims();
        int port = one.Claim(null, 21_000, IPAddress.Loopback);
        Assert.True(other.Claim(null, port, IPAddress.Loopback) > port);
        Assert.Throws<IOException>(() => other.Claim(port, 0, IPAddress.Loopback));
        one.Dispose();
        Assert.Equal(port, other.Claim(port, 0, IPAddress.Loopback));
    }

    [Fact]
    public async Task ASiloIsRefusedThePortOfAnother()
    {
        await using OrleansCluster cluster = await OrleansCluster.StartAsync(1);
        int port = cluster.Silos[0].Services.GetRequiredService<IOptions<EndpointOptions>>().Value.GatewayPort;
        StartException refused = await Assert.ThrowsAsync<StartException>(() => SiloServer.StartAsync("--cluster", cluster.Redis.Configuration, $"--KvTiers:Orleans:GatewayPort={port}"));
        Assert.Contains($"Port {port} at 127.0.0.1 is another process's", refused.Message, StringComparison.Ordinal);
    }
}
