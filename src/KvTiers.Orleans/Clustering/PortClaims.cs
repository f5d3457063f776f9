using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Hosting;

namespace KvTiers.Orleans.Clustering;

/// <summary>The ports of a silo: no other silo of this machine gets one before this is disposed, or the process has ended.</summary>
/// <remarks>
/// Orleans listens in a way that lets another process listen on the same port (SO_REUSEPORT). Each then gets some of the connections, and a client of one cluster
/// finds itself in another. So whoever picks a port, or is told one, first takes the UDP port of that number, to which nobody sends: it has one owner.
/// </remarks>
internal sealed class PortClaims : IHostedService, IDisposable
{
    private const int Tries = 1000;

    private readonly List<Socket> _claims = [];

    /// <summary>The port that was asked for, or the first free one from <paramref name="first"/> up.</summary>
    /// <exception cref="IOException">It is another process's, or none of a thousand is free.</exception>
    public int Claim(int? asked, int first, IPAddress address)
    {
        if (asked is { } port)
            return TryClaim(address, port) ? port : throw new IOException($"Port {port} at {address} is another process's.");
        for (port = first; port < first + Tries; port++)
        {
            if (TryClaim(address, port))
                return port;
        }

        throw new IOException($"No port from {first} to {first + Tries - 1} is free at {address}.");
    }

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public void Dispose() => _claims.ForEach(claim => claim.Dispose());

    private bool TryClaim(IPAddress address, int port)
    {
        var claim = new Socket(address.AddressFamily, SocketType.Dgram, ProtocolType.Udp) { ExclusiveAddressUse = true };
        try
        {
            claim.Bind(new IPEndPoint(address, port));

            // By a program that claims nothing. What a process that has ended left of its connections keeps no port from its successor.
            using var probe = new TcpListener(address, port) { ExclusiveAddressUse = OperatingSystem.IsWindows() };
            probe.Start();
            _claims.Add(claim);
            return true;
        }
        catch (SocketException exception) when (exception.SocketErrorCode is SocketError.AddressAlreadyInUse or SocketError.AccessDenied)
        {
            claim.Dispose();
            return false;
        }
    }
}
