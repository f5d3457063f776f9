using System.Net;
using System.Net.Sockets;

namespace KvTiers.Orleans.Clustering;

/// <summary>Picks ports where the operator names none.</summary>
internal static class FreePort
{
    private const int Tries = 1000;

    /// <summary>The first port from <paramref name="first"/> up that nothing listens on. One that is taken between this and its use makes the silo's start fail, with its number.</summary>
    /// <exception cref="IOException">None of a thousand is free.</exception>
    public static int From(int first, IPAddress address)
    {
        for (int port = first; port < first + Tries; port++)
        {
            if (IsFree(address, port))
                return port;
        }

        throw new IOException($"No port from {first} to {first + Tries - 1} is free at {address}.");
    }

    private static bool IsFree(IPAddress address, int port)
    {
        using var probe = new TcpListener(address, port) { ExclusiveAddressUse = true };
        try
        {
            probe.Start();
            return true;
        }
        catch (SocketException exception) when (exception.SocketErrorCode is SocketError.AddressAlreadyInUse or SocketError.AccessDenied)
        {
            return false;
        }
    }
}
